//! Streams of numbers that depend on a seed and a name alone.

/// Splitmix64: a stream for every column of every region, so that neither threads nor other columns change it.
#[derive(Clone, Debug)]
pub struct Stream(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Stream {
    /// The stream of a seed and the words that name what it is for.
    pub fn new(seed: u64, words: &[&str]) -> Self {
        let mut state = mix(seed.wrapping_add(STEP));
        for word in words {
            for byte in word.bytes() {
                state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            state = mix(state.wrapping_add(STEP));
        }
        Self(state)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// At least 0, below 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// At least 0, below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u64
    }

    /// Both ends included.
    pub fn between(&mut self, min: i64, max: i64) -> i64 {
        min + self.below(max.abs_diff(min).saturating_add(1)).cast_signed()
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Of mean 0 and deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Events in a time in which `mean` are expected (Knuth 1969); of large means, the normal shape.
    pub fn poisson(&mut self, mean: f64) -> i64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as i64;
        }
        let limit = (-mean).exp();
        let (mut events, mut left) = (0, self.unit());
        while left > limit {
            events += 1;
            left *= self.unit();
        }
        events
    }
}

/// Items with weights.
#[derive(Clone, Debug, Default)]
pub struct Weighted<T> {
    /// Rising to 1.
    ends: Vec<f64>,
    items: Vec<T>,
}

impl<T> Weighted<T> {
    /// `None` without any weight above 0, or with one below.
    pub fn new(items: Vec<(T, f64)>) -> Option<Self> {
        let sum: f64 = items.iter().map(|(_, weight)| weight).sum();
        let sound = items.iter().all(|(_, weight)| *weight >= 0.0) && sum > 0.0 && sum.is_finite();
        let mut ends = Vec::with_capacity(items.len());
        let mut end = 0.0;
        for (_, weight) in &items {
            end += weight / sum;
            ends.push(end);
        }
        sound.then(|| Self { ends, items: items.into_iter().map(|(item, _)| item).collect() })
    }

    pub fn pick(&self, stream: &mut Stream) -> &T {
        let at = stream.unit();
        let index = match self.ends.len() {
            0..=8 => self.ends.iter().position(|end| at < *end).unwrap_or(self.ends.len() - 1),
            _ => self.ends.partition_point(|end| *end <= at).min(self.ends.len() - 1),
        };
        &self.items[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_every_word() {
        let first = |words: &[&str]| Stream::new(7, words).bits();
        assert_ne!(first(&["a", "b"]), first(&["ab"]));
        assert_ne!(first(&["a", "b"]), first(&["b", "a"]));
        assert_eq!(first(&["a", "b"]), first(&["a", "b"]));
        assert_ne!(Stream::new(8, &["a"]).bits(), first(&["a"]));
    }

    #[test]
    fn draws_have_their_means() {
        let mut stream = Stream::new(1, &["means"]);
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean((0..100_000).map(|_| stream.unit()).collect()) - 0.5).abs() < 0.01);
        assert!(mean((0..100_000).map(|_| stream.normal()).collect()).abs() < 0.02);
        assert!((mean((0..100_000).map(|_| stream.poisson(1.5) as f64).collect()) - 1.5).abs() < 0.03);
        let weighted = Weighted::new(vec![(0.0, 3.0), (1.0, 1.0)]).unwrap();
        assert!((mean((0..100_000).map(|_| *weighted.pick(&mut stream)).collect()) - 0.25).abs() < 0.01);
        assert!(Weighted::new(vec![((), -1.0)]).is_none() && Weighted::<()>::new(vec![]).is_none());
    }

    #[test]
    fn bounds_are_met_and_never_passed() {
        let mut stream = Stream::new(2, &["bounds"]);
        let values: Vec<i64> = (0..10_000).map(|_| stream.between(-2, 2)).collect();
        assert_eq!((values.iter().min(), values.iter().max()), (Some(&-2), Some(&2)));
    }
}
