//! All sequences of commands: none ends in what the declaration forbids, and every open case can end.

use model::flow::*;
use proptest::prelude::*;

use crate::oracle::judge;
use crate::world::*;

const WORDS: &[&str] = &[
    "tick",
    "attach form 1",
    "attach form 2",
    "investigate",
    "draw",
    "visit h1",
    "visit h1 h2 h3",
    "vote 30 24 20",
    "vote 30 24 12",
    "vote 30 10 10",
    "post board",
    "post hall",
    "object h1 he has a car",
    "object h2 he has a car",
    "object all in secret",
    "dismiss 0 no",
    "dismiss 1 no",
    "dismiss 2 no",
    "uphold 0 yes",
    "uphold 1 yes",
    "complete",
    "complete",
    "complete",
    "complete",
    "refuse above the line",
    "refuse h1 above the line",
    "deliver",
    "return survey one income is missing",
    "void",
    "withdraw",
    "withdraw h1",
    "appeal it is not",
    "extend the road is cut",
    "apart h1",
    "apart h2 h3",
];

/// Commands that can be read for the strand as it stands.
fn commands(world: &World, strand: u32) -> Vec<Command> {
    WORDS
        .iter()
        .map(|words| {
            let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            words[0] = format!("{}:{strand}", words[0]);
            // Records that have left the strand are left out, so that most commands are about something.
            let items = &world.state.strands[strand as usize].items;
            if words[0].starts_with("visit") {
                words.retain(|word| !word.starts_with('h') || items.contains(&key(word)));
            }
            world.read(&words.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect()
}

/// One move of the game: likely one that is allowed, at times any; now and then a day passes or a fact changes.
fn play(world: &mut World, choice: (u8, u16, u16)) {
    let (kind, first, second) = choice;
    let name = ACTORS[usize::from(first) % ACTORS.len()].0;
    match kind {
        0..=2 => world.today = world.today.add_days(i32::from(first % 5) + 1).unwrap(),
        3 => {
            let keys: Vec<_> = world.truths.keys().cloned().collect();
            let truth = world.truths.get_mut(&keys[usize::from(first) % keys.len()]).unwrap();
            match second % 6 {
                0 => truth.amount = Some(i64::from(second)),
                1 => truth.eligible = None,
                2 => truth.eligible = Some(false),
                3 => truth.kin = None,
                _ => (truth.eligible, truth.amount) = (Some(true), Some(120_000)),
            }
        }
        4 => {
            let strand = u32::from(second) % world.state.strands.len() as u32;
            let commands = commands(world, strand);
            // Refused or not, what it leads to is judged below.
            let _ = world.command(name, &commands[usize::from(second) % commands.len()]);
        }
        _ => {
            // Looks on from a random place for something that is allowed; what ends a case is taken seldom, as
            // otherwise none would come far.
            let count = world.state.strands.len() as u32;
            for strand in (0..count).map(|strand| (strand + u32::from(second)) % count) {
                let commands = commands(world, strand);
                let announced = world.position(StrandId(strand)) == StepIndex(7);
                for position in 0..commands.len() {
                    let command = &commands[(position + usize::from(first)) % commands.len()];
                    if kind > 5 && ends(command) && !announced {
                        continue;
                    }
                    if kind > 8 && matches!(command, Command::Act { act: Act::Object { .. }, .. }) {
                        continue;
                    }
                    for place in 0..ACTORS.len() {
                        let name = ACTORS[(place + usize::from(second)) % ACTORS.len()].0;
                        if world.command(name, command).is_ok_and(|events| !events.is_empty()) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

fn ends(command: &Command) -> bool {
    let Command::Act { act, .. } = command else { return false };
    matches!(act, Act::Refuse { .. } | Act::Withdraw { .. } | Act::Return { .. } | Act::Void)
}

fn begun(effect: Effect, unit: DayUnit) -> World {
    let mut world = World::new(flow(effect, unit), &["h1", "h2", "h3"]);
    world.run("2015-03-02 clerk open h1 h2 h3");
    world
}

/// Brings every strand to its end by trying, in this order, whatever anyone may do. Where all of an office have
/// acted already, someone else has to be appointed: the stand-ins.
fn finish(world: &mut World) {
    let order =
        ["dismiss", "complete", "void", "attach", "investigate", "draw", "visit", "vote", "post", "refuse"];
    for round in 0..400 {
        let Some(strand) =
            world.state.strands.iter().find(|strand| matches!(strand.position, Position::At(_)))
        else {
            return;
        };
        let (id, items) = (strand.id.0, strand.items.clone());
        let objections: Vec<u32> = strand.objections.iter().map(|open| open.id).collect();
        let listed: Vec<&str> = items.iter().map(model::RecordKey::as_str).collect();
        let mut lines = vec![];
        for act in order {
            match act {
                "dismiss" => lines.extend(objections.iter().map(|open| format!("dismiss:{id} {open} no"))),
                "attach" => lines.push(format!("attach:{id} form 200")),
                "visit" if strand.work.visited != items => {
                    lines.push(format!("visit:{id} {}", listed.join(" ")));
                }
                "visit" => {}
                "vote" => lines.push(format!("vote:{id} 30 24 20")),
                "post" => lines.extend(["board", "hall"].map(|place| format!("post:{id} {place}"))),
                "refuse" => lines.push(format!("refuse:{id} above the line")),
                other => lines.push(format!("{other}:{id}")),
            }
        }
        let moved = lines.iter().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let command = world.read(&words);
            ACTORS.iter().chain(STAND_INS).any(|(name, ..)| world.command(name, &command).is_ok())
        });
        if !moved {
            world.today = world.today.add_days(1).unwrap();
        }
        assert!(round < 399, "no end is reached: {:?}", world.state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_commands_ends_in_what_is_forbidden_and_every_case_can_end(
        effect in prop::sample::select(vec![Effect::Restart, Effect::Suspend, Effect::Separate]),
        unit in prop::sample::select(vec![DayUnit::Calendar, DayUnit::Working]),
        choices in prop::collection::vec((0_u8..16, any::<u16>(), any::<u16>()), 1..60),
    ) {
        let mut world = begun(effect, unit);
        for choice in choices {
            play(&mut world, choice);
        }
        judge(&world);
        // Events that were written down and read again come to the same state.
        let text = serde_json::to_string(&world.events).unwrap();
        let read: Vec<Event> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read.iter().fold(State::default(), apply), &world.state);
        finish(&mut world);
        judge(&world);
        prop_assert!(!world.state.is_open());
    }
}

/// The game above would prove little if it never came far: over fixed seeds, most kinds of events happen.
#[test]
fn the_game_reaches_every_kind_of_event() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let moves = prop::collection::vec((0_u8..16, any::<u16>(), any::<u16>()), 90..91);
    let mut kinds = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..30 {
        let effect = [Effect::Restart, Effect::Suspend, Effect::Separate][round % 3];
        let mut world = begun(effect, DayUnit::Calendar);
        for choice in moves.new_tree(&mut runner).unwrap().current() {
            play(&mut world, choice);
        }
        finish(&mut world);
        judge(&world);
        for event in &world.events {
            let name = format!("{:?}", event.what).split([' ', '{']).next().unwrap().to_owned();
            *kinds.entry(name).or_default() += 1;
        }
    }
    assert!(kinds["Completed"] > 100 && kinds["Reserved"] > 5, "{kinds:?}");
    for kind in [
        "Opened",
        "Entered",
        "Parted",
        "Attached",
        "Investigated",
        "Sampled",
        "Visited",
        "Voted",
        "Posted",
        "ClockStarted",
        "ClockStopped",
        "Objected",
        "Answered",
        "Proposed",
        "Completed",
        "Writes",
        "Reserved",
        "Released",
        "Refused",
        "Returned",
        "Voided",
        "Withdrawn",
        "Extended",
        "Overdue",
        "Ended",
        "Delivered",
        "Appealed",
    ] {
        assert!(kinds.contains_key(kind), "{kind} never happens: {kinds:?}");
    }
}
