//! Kills writers of registries at random moments, for as many trials as wanted, and checks what each leaves behind.
//!
//!     cargo run --release -p store --example kill_soak -- [TRIALS] [SEED]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/killing/mod.rs"]
mod killing;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use killing::{Scenario, copy, is_child, kill_after, moments, start};

/// Numbers that follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Kills processes `trials` times: half of them at a statement, half from outside. Panics at the first registry that is
/// at no stage of its scenario, or at another than its process had reached.
fn soak(trials: u64, seed: u64) {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let mut chance = Chance(seed);
    let prepared = Scenario::ALL.map(|scenario| {
        let before = folder.path().join(format!("{scenario:?}"));
        scenario.prepare(&before);
        let whole = folder.path().join("whole");
        copy(&before, &whole);
        let begun = Instant::now();
        let (all, finished) = moments(start(&[], scenario, 0, &whole));
        assert!(finished, "without a kill everything is done");
        std::fs::remove_dir_all(&whole).expect("it was made above");
        (scenario, before, all.len() as u64, begun.elapsed())
    });
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for trial in 0..trials {
        let (scenario, before, statements, duration) = &prepared[chance.below(4) as usize];
        let killed = folder.path().join("killed");
        copy(before, &killed);
        let (least, most, place) = if chance.below(2) == 0 {
            let at = chance.below(*statements) + 1;
            let (told, _) = moments(start(&[], *scenario, at, &killed));
            let last = told.last().expect("it died at a moment");
            let place = if last.within { "in a transaction" } else { "between transactions" };
            (last.commits, last.commits, place)
        } else {
            let wait = Duration::from_micros(chance.below(duration.as_micros() as u64 + 1));
            let commits = kill_after(start(&[], *scenario, 0, &killed), wait);
            (commits, commits + 1, "from outside")
        };
        let stage = scenario.stage(&killed);
        assert!(
            (least..=most).contains(&stage),
            "trial {trial}, seed {seed}: {scenario:?} is at stage {stage}"
        );
        scenario.act(&killed);
        assert_eq!(
            scenario.stage(&killed),
            scenario.last_stage(),
            "trial {trial}, seed {seed}: {scenario:?}"
        );
        *seen.entry(format!("{scenario:?}, killed {place}, at stage {stage}")).or_default() += 1;
        std::fs::remove_dir_all(&killed).expect("it was made above");
    }
    for (what, count) in seen {
        println!("{count:6} {what}");
    }
}

fn main() {
    if is_child() {
        return;
    }
    let mut arguments = std::env::args().skip(1);
    let trials = arguments.next().map_or(1000, |text| text.parse().expect("a number of trials"));
    let chance = || RandomState::new().hash_one("seed") >> 1;
    let seed = arguments.next().map_or_else(chance, |text| text.parse().expect("a number as the seed"));
    println!("{trials} kills with seed {seed}");
    soak(trials, seed);
}
