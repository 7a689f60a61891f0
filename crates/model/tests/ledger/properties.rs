//! What holds for any sequence of commands, retried and out of order.

use model::ledger::{Command, Posting, decide};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::{World, county, noon};

/// One step. What it refers to is chosen among what the book then holds, so that most steps can succeed.
#[derive(Debug, Clone)]
enum Step {
    Transfer(Part),
    Group(Vec<Part>),
    Other(&'static str),
    Retry(Index),
    /// The key of an earlier transfer with another body.
    Clash(Index, Part),
    NextDay,
}

/// One transfer, whose key is given when its turn comes.
#[derive(Debug, Clone)]
enum Part {
    Begin { way: &'static str, fen: i64, end: &'static str },
    Resolve { kind: &'static str, which: Index, fen: i64, keep: bool },
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let other = prop::sample::select(vec![
        "expire",
        "carry y owed:h1 20",
        "carry x allotted:513431 30",
        "recover w allotted:513431 granted 40",
        "appropriate B D2 living=70",
        "open owed:h3 max=100",
        "open allotted:513431'2017",
        "close owed:h2",
        "reserve v allotted:513431 owed:h3 60",
    ]);
    let step = prop_oneof![
        8 => part().prop_map(Step::Transfer),
        2 => prop::collection::vec(part(), 1..4).prop_map(Step::Group),
        1 => other.prop_map(Step::Other),
        1 => any::<Index>().prop_map(Step::Retry),
        1 => (any::<Index>(), part()).prop_map(|(which, part)| Step::Clash(which, part)),
        1 => Just(Step::NextDay),
    ];
    prop::collection::vec(step, 1..length)
}

fn part() -> impl Strategy<Value = Part> {
    let way = prop::sample::select(vec![
        "granted allotted:5134",
        "allotted:5134 allotted:513431",
        "allotted:513431 allotted:5134",
        "granted source",
        "source granted",
        "allotted:513431 allotted:5133",
        "allotted:513431 owed:h1",
        "allotted:513431 owed:h1",
        "allotted:513431 owed:h2",
        "allotted:513431@housing owed:h1",
        "owed:h1 paid:h1",
        "owed:h1 paid:h1",
        "owed:h2 paid:h1",
    ]);
    let fen =
        || prop_oneof![12 => 1..120_i64, 4 => Just(100_i64), 1 => Just(0), 1 => Just(-3), 1 => Just(100_000)];
    let end = prop::sample::select(vec!["", "", "until=2016-03-02", "until=2016-03-04"]);
    let kind = prop::sample::select(vec!["post", "post", "post", "void", "reverse"]);
    prop_oneof![
        (way, fen(), end).prop_map(|(way, fen, end)| Part::Begin { way, fen, end }),
        (kind, any::<Index>(), fen(), any::<bool>()).prop_map(|(kind, which, fen, keep)| Part::Resolve {
            kind,
            which,
            fen,
            keep
        }),
    ]
}

/// A part in the words of a table. Four in five refer to what fits: an open reservation, what moved money.
fn text(world: &World, part: &Part, key: &str) -> String {
    match part {
        Part::Begin { way, fen, end } => {
            let is_two_phase = way.contains("owed:");
            format!("{} {key} {way} {fen} {end}", if is_two_phase { "reserve" } else { "move" })
        }
        Part::Resolve { kind, which, fen, keep } => {
            let fits = |posting: &&Posting| match *kind {
                _ if which.index(5) == 0 => true,
                "reverse" => posting.transfer.moves(),
                _ => posting.is_open(world.now),
            };
            let targets: Vec<&Posting> = world.book.postings().filter(fits).collect();
            let target = targets.get(which.index(targets.len().max(1)));
            let target = target.map_or("nothing", |posting| posting.transfer.draft.key.as_str());
            match *kind {
                "post" => format!("post {key} {target} {fen} {}", if *keep { "keep" } else { "release" }),
                "void" => format!("void {key} {target}"),
                _ => format!("reverse {key} {target} {fen}"),
            }
        }
    }
}

/// The command of a step, `None` if it only lets time pass or there is nothing to repeat.
fn command(world: &World, step: &Step, number: usize, done: &[Command]) -> Option<Command> {
    let key = format!("k{number}");
    match step {
        Step::Transfer(part) => Some(world.command(&text(world, part, &key))),
        Step::Group(parts) => {
            let parts =
                parts.iter().enumerate().map(|(place, part)| text(world, part, &format!("{key}.{place}")));
            Some(world.command(&format!("group {key} {{ {} }}", parts.collect::<Vec<_>>().join(" ; "))))
        }
        Step::Other(text) => Some(world.command(text)),
        Step::Retry(which) => (!done.is_empty()).then(|| which.get(done).clone()),
        Step::Clash(which, part) => {
            let earlier = (!done.is_empty()).then(|| which.get(done).drafts())?;
            Some(world.command(&text(world, part, earlier.first()?.key.as_str())))
        }
        Step::NextDay => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn money_is_neither_made_nor_lost(steps in steps(60)) {
        let mut world = county();
        world.check(
            "reserve r1 allotted:513431 owed:h1 300 => ok\npost p1 r1 250 keep => ok\nreserve o1 owed:h1 paid:h1 100 => ok",
        );
        let mut done: Vec<Command> = Vec::new();
        let mut day = 1;
        for (number, step) in steps.iter().enumerate() {
            if matches!(step, Step::NextDay) {
                day = 28.min(day + 1);
                world.now = noon(&format!("2016-03-{day:02}"));
            }
            let Some(command) = command(&world, step, number, &done) else { continue };
            // A store that loads only what the command reads decides alike.
            let part = world.book.excerpt(&command.reads(), world.now);
            prop_assert_eq!(decide(&part, &command, world.now), decide(&world.book, &command, world.now));
            let before = world.book.clone();
            match world.run(&command) {
                Ok(_) => done.push(command),
                Err(_) => prop_assert_eq!(&world.book, &before),
            }
        }
        world.check_book();
        // Whatever was carried out is not carried out again, and answers as it did.
        let after = world.book.clone();
        for command in done.iter().filter(|command| !command.drafts().is_empty()) {
            let reply = world.book.reply(command).map(|found| found.len());
            prop_assert_eq!(world.run(command), Ok(Vec::new()));
            prop_assert_eq!(reply, Some(command.drafts().len()));
        }
        prop_assert_eq!(after, world.book);
    }

    /// Where money suffices, neither order nor repetition of what arrives changes what comes of it.
    #[test]
    fn order_and_repetition_do_not_matter(
        order in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle(),
        twice in prop::collection::vec(0..16_usize, 0..8),
    ) {
        let texts = [
            "reserve r1 allotted:513431 owed:h1 100", "post p1 r1 60 keep", "post q1 ~p1 40 keep",
            "reserve o1 owed:h1 paid:h1 50", "post d1 o1 50 keep", "reverse b1 d1 20",
            "reserve r2 allotted:513431 owed:h2 200", "void v2 r2",
            "reserve r3 allotted:513431 owed:h2 300", "post p3 r3 250 release",
            "reserve o3 owed:h2 paid:h2 250", "void n3 o3",
            "move m allotted:5134 allotted:513431 10", "recover u allotted:5134 granted 5",
            "reserve r4 allotted:513431@housing owed:h1@housing 7", "open owed:h1@housing",
        ];
        let outcome = |sequence: &[usize]| {
            let mut world = county();
            // What comes too early is sent again, as an outbox does.
            for _ in 0..texts.len() {
                for place in sequence {
                    let command = world.command(texts[*place]);
                    let _ = world.run(&command);
                }
            }
            world.check_book();
            balances(&world)
        };
        let mut shuffled = order;
        shuffled.extend(twice);
        let straight: Vec<usize> = (0..texts.len()).collect();
        prop_assert_eq!(outcome(&shuffled), outcome(&straight));
    }
}

fn balances(world: &World) -> Vec<(String, model::ledger::Balance)> {
    world.book.accounts().map(|state| (state.account.id.to_string(), state.balance)).collect()
}
