//! Spreads a number over places by weight.

/// Shares of `total` by weight, to the last one by largest remainder (of equal ones, the first). Where there is
/// not `at_least` for all, the heaviest get something and the others nothing.
pub fn spread(total: u64, weights: &[f64], at_least: u64) -> Vec<u64> {
    let mut counts = vec![0; weights.len()];
    let mut order: Vec<usize> = (0..weights.len()).filter(|place| weights[*place] > 0.0).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
    let places = usize::try_from(total / at_least.max(1)).unwrap_or(usize::MAX).max(1);
    order.truncate(places);
    let sum: f64 = order.iter().map(|place| weights[*place]).sum();
    let mut rest = Vec::with_capacity(order.len());
    let mut given = 0;
    for place in order {
        let exact = total as f64 * weights[place] / sum;
        counts[place] = exact.floor() as u64;
        given += counts[place];
        rest.push((exact.fract(), place));
    }
    rest.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    // Rounding of floats can leave one too few or too many beyond the remainders.
    for (_, place) in rest.iter().cycle().take(total.saturating_sub(given) as usize) {
        counts[*place] += 1;
    }
    let mut over = given.saturating_sub(total);
    for (_, place) in rest.iter().rev() {
        let less = over.min(counts[*place]);
        counts[*place] -= less;
        over -= less;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn the_total_is_kept_and_weights_are_followed() {
        assert_eq!(spread(10, &[1.0, 1.0, 1.0], 1), [4, 3, 3]);
        assert_eq!(spread(100, &[3.0, 1.0, 0.0], 1), [75, 25, 0]);
        assert_eq!(spread(7, &[0.1, 0.7, 0.2], 5), [0, 7, 0]);
        assert_eq!(spread(0, &[1.0], 5), [0]);
        assert_eq!(spread(5, &[], 5), [0_u64; 0]);
        let weights: Vec<f64> = (1..=183).map(|weight| f64::from(weight).sqrt()).collect();
        assert_eq!(spread(5_000_000, &weights, 600).iter().sum::<u64>(), 5_000_000);
    }
}
