//! Kills processes that do what the walk's commands do, at random moments, and judges what each leaves behind.
//!
//!     cargo xtask soak [--kills N] [--seed S]

#[path = "../tests/walk/killing.rs"]
mod killing;
#[path = "../tests/walk/stages.rs"]
mod stages;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use killing::{Kind, Prepared, is_child};

/// Kills processes at random moments and judges what they leave.
#[derive(Parser)]
struct Options {
    /// How many.
    #[arg(long, default_value_t = 1000)]
    kills: u64,
    /// The moments follow from it; another one each time if absent.
    #[arg(long)]
    seed: Option<u64>,
}

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

/// What came of the kills of one kind.
#[derive(Default)]
struct Count {
    at_statements: u64,
    from_outside: u64,
    within: u64,
    before: u64,
    after: u64,
    ended: u64,
}

/// One kill in two is at a statement that is drawn, the others come from outside after a time that is drawn. Panics at
/// the first that leaves half of something.
fn soak(kills: u64, seed: u64) -> BTreeMap<Kind, Count> {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let mut chance = Chance(seed);
    let prepared = Kind::ALL.map(|kind| Prepared::new(kind, &[], &folder.path().join(format!("{kind:?}"))));
    let mut counts: BTreeMap<Kind, Count> = BTreeMap::new();
    let begun = Instant::now();
    let mut done = 0;
    while done < kills {
        let one = &prepared[chance.below(prepared.len() as u64) as usize];
        let count = counts.entry(one.kind).or_default();
        let (killed, within, least, most) = if chance.below(2) == 0 {
            let moment = &one.moments[chance.below(one.moments.len() as u64) as usize];
            count.at_statements += 1;
            (one.kill_at(&[], moment), moment.within, moment.commits, moment.commits)
        } else {
            let wait = Duration::from_micros(chance.below(one.duration.as_micros() as u64 + 1));
            let Some((killed, last)) = one.kill_after(&[], wait) else {
                // It was done before it was killed, which is no kill.
                count.ended += 1;
                continue;
            };
            count.from_outside += 1;
            let (within, commits) = last.map_or((false, 0), |last| (last.within, last.commits));
            (killed, within, commits, commits + 1)
        };
        done += 1;
        count.within += u64::from(within);
        let all_done = one.judge(&killed, least, most, true);
        *(if all_done { &mut count.after } else { &mut count.before }) += 1;
        if done % 50 == 0 {
            eprintln!("{done} of {kills} kills, {} s", begun.elapsed().as_secs());
        }
    }
    counts
}

/// Where a soak that prints nothing else writes its summary.
const SUMMARY: &str = "XIAOKANG_SOAK_SUMMARY";

fn main() -> ExitCode {
    if is_child() {
        return ExitCode::SUCCESS;
    }
    if let Some(path) = std::env::var_os(SUMMARY) {
        let options = Options::parse();
        let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one("seed") >> 1);
        eprintln!("{} kills with seed {seed}", options.kills);
        let begun = Instant::now();
        let counts = soak(options.kills, seed);
        let text = summary(&options, seed, begun.elapsed(), &counts);
        std::fs::write(path, text).expect("the summary can be written");
        return ExitCode::SUCCESS;
    }
    // What the commands print is not wanted: this program runs itself without it.
    let file = tempfile::NamedTempFile::new().expect("temporary files can be made");
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(SUMMARY, file.path()).stdout(Stdio::null());
    let status = command.status().expect("this program can be started");
    print!("{}", std::fs::read_to_string(file.path()).unwrap_or_default());
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn summary(options: &Options, seed: u64, took: Duration, counts: &BTreeMap<Kind, Count>) -> String {
    let mut text = format!(
        "{} kills with seed {seed}, {} s; none left half of something\n\
         kind      kills  at a statement  from outside  within a transaction  rest to do  all done  ended first\n",
        options.kills,
        took.as_secs()
    );
    let mut all = Count::default();
    for (kind, count) in counts {
        text += &line(&format!("{kind:?}"), count);
        all.at_statements += count.at_statements;
        all.from_outside += count.from_outside;
        all.within += count.within;
        all.before += count.before;
        all.after += count.after;
        all.ended += count.ended;
    }
    text += &line("all", &all);
    text += "checked after each: the database's integrity, and its history against its records; events, records and money \
             as after a whole transaction; that going on leads to what is there without a kill; that a log verifies\n";
    text
}

fn line(name: &str, count: &Count) -> String {
    let Count { at_statements, from_outside, within, before, after, ended } = count;
    let kills = at_statements + from_outside;
    format!(
        "{name:<9} {kills:>5} {at_statements:>15} {from_outside:>13} {within:>21} {before:>11} {after:>9} {ended:>12}\n"
    )
}
