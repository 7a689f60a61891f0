//! What holds for any sequence of commands, retried and out of order.

use model::ledger::{Command, decide};
use proptest::prelude::*;

use crate::world::{World, county, noon};

/// One step: a day later or not, and a command or an earlier one again.
#[derive(Debug, Clone)]
enum Step {
    Command(String),
    Retry(prop::sample::Index),
    NextDay,
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => command().prop_map(Step::Command),
        2 => any::<prop::sample::Index>().prop_map(Step::Retry),
        1 => Just(Step::NextDay),
    ];
    prop::collection::vec(step, 1..length)
}

/// Few keys and accounts, so that commands meet one another.
fn command() -> impl Strategy<Value = String> {
    prop_oneof![4 => transfer(), 1 => group(), 1 => other()]
}

fn transfer() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]);
    let target = || {
        prop::sample::select(vec![
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "~a", "~b", "~c", "~d", "~e", "~f",
        ])
    };
    let way = prop::sample::select(vec![
        "move {} granted allotted:5134",
        "move {} allotted:5134 allotted:513431",
        "move {} allotted:513431 allotted:5134",
        "move {} granted source",
        "move {} source granted",
        "move {} allotted:513431 allotted:513431'2017",
        "reserve {} allotted:513431 owed:h1",
        "reserve {} allotted:513431 owed:h2",
        "reserve {} allotted:513431@housing owed:h1",
        "reserve {} owed:h1 paid:h1",
        "reserve {} owed:h2 paid:h1",
    ]);
    let amount = prop_oneof![1..400_i64, Just(0_i64), Just(-3_i64), Just(100_000_i64)];
    let end = prop::sample::select(vec!["", " until=2016-03-02", " until=2016-03-04"]);
    prop_oneof![
        3 => (way, name(), amount.clone(), end)
            .prop_map(|(way, name, fen, end)| format!("{} {fen}{end}", way.replace("{}", name))),
        3 => (name(), target(), amount.clone(), any::<bool>()).prop_map(|(name, target, fen, keep)| {
            format!("post {name} {target} {fen} {}", if keep { "keep" } else { "release" })
        }),
        1 => (name(), target()).prop_map(|(name, target)| format!("void {name} {target}")),
        1 => (name(), target(), amount).prop_map(|(name, target, fen)| format!("reverse {name} {target} {fen}")),
    ]
}

fn group() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["G", "H"]);
    (name, prop::collection::vec(transfer(), 1..4))
        .prop_map(|(name, parts)| format!("group {name} {{ {} }}", parts.join(" ; ")))
}

fn other() -> impl Strategy<Value = String> {
    prop::sample::select(
        [
            "expire",
            "carry y owed:h1 20",
            "carry x allotted:513431 30",
            "recover w allotted:513431 granted 40",
            "appropriate B D2 living=70",
            "open owed:h3 max=100",
            "open allotted:513431'2017",
            "close owed:h2",
            "reserve v allotted:513431 owed:h3 60",
        ]
        .map(str::to_owned)
        .to_vec(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn money_is_neither_made_nor_lost(steps in steps(40)) {
        let mut world = county();
        let mut done: Vec<Command> = Vec::new();
        let mut day = 1;
        for step in steps {
            let command = match step {
                Step::NextDay => {
                    day += 1;
                    world.now = noon(&format!("2016-03-{day:02}"));
                    continue;
                }
                Step::Command(text) => world.command(&text),
                Step::Retry(which) if done.is_empty() => { let _ = which; continue }
                Step::Retry(which) => which.get(&done).clone(),
            };
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
