//! Draws samples so that anyone can draw them again.

use std::collections::BTreeSet;

use crate::RecordKey;

/// `count` of the records, the same for the same seed whatever the order in which they are given: every record
/// has a lot that depends on its key and the seed, and the lowest lots are drawn.
pub fn draw(items: &BTreeSet<RecordKey>, count: usize, seed: u64) -> BTreeSet<RecordKey> {
    let mut lots: Vec<(u64, &RecordKey)> = items.iter().map(|item| (lot(item, seed), item)).collect();
    lots.sort_unstable();
    lots.into_iter().take(count).map(|(_, item)| item.clone()).collect()
}

/// FNV-1a over the seed and the key, mixed as in SplitMix64 so that near keys have lots far apart.
fn lot(item: &RecordKey, seed: u64) -> u64 {
    let bytes = seed.to_be_bytes().into_iter().chain(item.as_str().bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: u32) -> BTreeSet<RecordKey> {
        (0..count).map(|number| RecordKey::new(format!("h{number}")).expect("a key")).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_records() {
        assert_eq!(draw(&items(20), 6, 7), draw(&items(20), 6, 7));
        assert_ne!(draw(&items(20), 6, 7), draw(&items(20), 6, 8));
        assert_eq!(draw(&items(3), 9, 7), items(3));
    }

    #[test]
    fn every_record_is_drawn_about_equally_often() {
        let all = items(20);
        let mut times = vec![0_u32; 20];
        for seed in 0..2000 {
            let drawn = draw(&all, 6, seed);
            assert_eq!(drawn.len(), 6);
            for (position, item) in all.iter().enumerate() {
                times[position] += u32::from(drawn.contains(item));
            }
        }
        // Binomial with mean 600 and a standard deviation of 20.5: five of them on either side.
        assert!(times.iter().all(|count| (500..700).contains(count)), "{times:?}");
    }
}
