//! Seeds made from seeds: every use of randomness gets its own, and a resumed run gets the same.

/// A seed that depends on all of `seed` and `parts`, in order.
pub(crate) fn derive(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(splitmix(seed), |mixed, &part| splitmix(mixed ^ splitmix(part)))
}

/// One step of `SplitMix64` (Steele et al. 2014).
fn splitmix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_place_has_a_seed_of_its_own() {
        let seeds: HashSet<u64> = (0..100)
            .flat_map(|step| (0..30).map(move |layer| derive(42, &[step, layer])))
            .collect();

        assert_eq!(seeds.len(), 3000);
        assert_ne!(derive(1, &[2, 3]), derive(1, &[3, 2]));
    }
}
