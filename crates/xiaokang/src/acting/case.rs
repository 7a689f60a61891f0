//! `xiaokang case`

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use app::acting::Pending;
use app::procedure::{self, Asked, CaseView, Declared, Start, Told, declared, event_text, outcome_text};
use model::flow::{Act, Ballot, Flow, Minutes};
use model::{AsProblem as _, Digest, Lang, Moment, RecordKey, Text, text};
use pack::program::Program;

use super::{Office, acting, failure, random, with_room, words};
use crate::arguments::acting::{
    ActCommand, BallotArgument, CaseCommand, CaseDo, CaseList, CaseShow, CaseStart, Verdict, VoteOptions,
};
use crate::console::{CommandResult, Failure, Outcome, now_ms, say};

pub fn run(command: CaseCommand, lang: Lang) -> CommandResult {
    with_room(move || match command {
        CaseCommand::Start(options) => start(&options, lang),
        CaseCommand::List(options) => list(&options, lang),
        CaseCommand::Show(options) => show(&options, lang),
        CaseCommand::Do(options) => act(&options, lang),
    })
}

fn start(options: &CaseStart, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let acting = acting(&options.actor);
    let asked = Start { flow: &options.flow, sheet: options.sheet.as_deref(), items: &options.items };
    let id = procedure::start(&mut registry, &pack.program, &acting, &asked, &mut random)
        .map_err(|error| failure(error, lang))?;
    say!("{id}");
    Ok(Outcome::Done)
}

fn list(options: &CaseList, lang: Lang) -> CommandResult {
    let Office { pack, registry } = Office::open(&options.site)?;
    let cases = procedure::list(&registry, &pack.program).map_err(|error| failure(error, lang))?;
    for case in cases {
        let at: Vec<String> =
            case.at.iter().map(|(title, since)| format!("{} ({since})", title.get(lang))).collect();
        let at = if at.is_empty() { words(lang, "已结束", "ended").to_owned() } else { at.join(", ") };
        say!("{}  {}  {}  {at}", case.id, case.started, case.items);
    }
    Ok(Outcome::Done)
}

fn show(options: &CaseShow, lang: Lang) -> CommandResult {
    let Office { pack, registry } = Office::open(&options.site)?;
    let program = &pack.program;
    let at = Moment::from_unix_ms(now_ms());
    let on = options.on.map_or_else(|| at.day(), |day| day.0);
    let reader = app::acting::Acting { role: String::new(), name: String::new(), at, on };
    let given = match &options.with {
        Some(json) => app::changes::read(program, json)
            .map_err(|Text { zh, en }| Failure::input(text!("`--with`：{zh}", "`--with`: {en}")))?,
        None => Pending::new(),
    };
    let view = procedure::show(&registry, program, &reader, &options.case, &given)
        .map_err(|error| failure(error, lang))?;
    let flow = flow_of(program, &view, lang)?;
    print_case(flow.machine, &view, lang);
    Ok(Outcome::Done)
}

fn flow_of<'p>(program: &'p Program, view: &CaseView, lang: Lang) -> Result<Declared<'p>, Failure> {
    declared(program, &view.flow).map_err(|error| failure(error, lang))
}

fn print_case(flow: &Flow, view: &CaseView, lang: Lang) {
    say!("{}  {}", view.id, view.title.get(lang));
    for strand in &view.strands {
        let items: Vec<&str> = strand.items.iter().map(RecordKey::as_str).collect();
        let place = match strand.ended {
            Some((outcome, on)) => format!("{} ({on})", outcome_text(outcome).get(lang)),
            None => strand.step.1.get(lang).to_owned(),
        };
        say!("  [{}] {place}: {}", strand.id.0, items.join(", "));
        for reserved in &strand.reserved {
            say!("      {} {} {}", reserved.item, reserved.fund, reserved.amount);
        }
        for change in &strand.changes {
            say!("      ! {}", change.get(lang));
        }
    }
    for (waiting, title, refused) in &view.waiting {
        let due = waiting.due.map_or_else(String::new, |due| format!(" ≤ {due}"));
        let roles = waiting.roles.join(", ");
        let what = match waiting.objection {
            Some(id) => words(lang, "答复异议", "answer objection").to_owned() + &format!(" {id}"),
            None => title.get(lang).to_owned(),
        };
        let why = refused
            .as_ref()
            .map_or_else(String::new, |error| format!(": {}", error.problem().text.get(lang)));
        say!("{} {roles} [{}] {what}{due}{why}", words(lang, "待办", "waits for"), waiting.strand.0);
    }
    say!("{}", words(lang, "经过", "what happened"));
    for event in &view.events {
        say!("  {} {}:{} {}", event.day, event.role, event.actor, event_text(flow, event, lang));
    }
}

fn act(options: &CaseDo, lang: Lang) -> CommandResult {
    let Office { pack, mut registry } = Office::open(&options.site)?;
    let program = &pack.program;
    let acting = acting(&options.actor);
    let refused = |error| failure(error, lang);
    let told = if matches!(options.act, ActCommand::Tick) {
        procedure::tick(&mut registry, program, &acting, &options.case, &mut random).map_err(refused)?
    } else {
        let act = read_act(&options.act, &registry, program, &options.case, lang)?;
        let step = options.step.as_deref();
        let asked = Asked { case: &options.case, strand: options.strand, step, act };
        procedure::act(&mut registry, program, &acting, asked, &mut random).map_err(refused)?
    };
    print_told(program, &told, lang).map_err(refused)?;
    Ok(Outcome::Done)
}

/// Prints what an act came to.
pub fn print_told(program: &Program, told: &Told, lang: Lang) -> Result<(), app::acting::ActingError> {
    let flow = declared(program, &told.state.flow)?;
    for event in &told.events {
        say!("{} {}:{} {}", event.day, event.role, event.actor, event_text(flow.machine, event, lang));
    }
    Ok(())
}

fn read_act(
    command: &ActCommand,
    registry: &app::Registry,
    program: &Program,
    case: &RecordKey,
    lang: Lang,
) -> Result<Act, Failure> {
    let set = |items: &[RecordKey]| -> BTreeSet<RecordKey> { items.iter().cloned().collect() };
    let some = |items: &[RecordKey]| (!items.is_empty()).then(|| set(items));
    Ok(match command {
        ActCommand::Attach { kind, file } => Act::Attach { kind: kind.clone(), document: digest(file)? },
        ActCommand::Investigate => Act::Investigate,
        ActCommand::Draw => Act::Draw,
        ActCommand::Visit { items } => Act::Visit { items: set(items) },
        ActCommand::Vote(vote) => Act::Vote(minutes(vote, registry, case, lang)?),
        ActCommand::Post { place } => Act::Post { place: place.clone() },
        ActCommand::Object { item, grounds } => Act::Object { item: item.clone(), grounds: grounds.clone() },
        ActCommand::Answer { objection, verdict, reasons } => Act::Answer {
            objection: *objection,
            upheld: *verdict == Verdict::Upheld,
            reasons: reasons.clone(),
        },
        ActCommand::Complete { choice } => Act::Complete { choice: choice.clone() },
        ActCommand::Refuse { items, reasons } => Act::Refuse { items: some(items), reasons: reasons.clone() },
        ActCommand::Deliver { letter } => Act::Deliver { letter: digest(letter)? },
        ActCommand::Return { to, reasons } => {
            Act::Return { to: step(registry, program, case, to, lang)?, reasons: reasons.clone() }
        }
        ActCommand::Void => Act::Void,
        ActCommand::Withdraw { items } => Act::Withdraw { items: some(items) },
        ActCommand::Appeal { grounds } => Act::Appeal { grounds: grounds.clone() },
        ActCommand::Extend { reasons } => Act::Extend { reasons: reasons.clone() },
        ActCommand::Apart { items } => Act::SetApart { items: set(items) },
        ActCommand::Tick => unreachable!("time is no act, and was dealt with before"),
    })
}

/// Votes about every record of the part that votes: those given, or the same for all.
fn minutes(
    vote: &VoteOptions,
    registry: &app::Registry,
    case: &RecordKey,
    lang: Lang,
) -> Result<Minutes, Failure> {
    let ballot = |it: BallotArgument| Ballot { in_favour: it.in_favour, against: it.against };
    let mut ballots: BTreeMap<RecordKey, Ballot> = BTreeMap::new();
    if let Some(all) = vote.all {
        let case = procedure::read_case(registry.view(), case).map_err(|error| failure(error, lang))?;
        let open = case.state.strands.iter();
        let open = open.filter(|strand| matches!(strand.position, model::flow::Position::At(_)));
        ballots.extend(open.flat_map(|strand| &strand.items).map(|item| (item.clone(), ballot(all))));
    }
    ballots.extend(vote.ballots.iter().map(|it| (it.item.clone(), ballot(it.ballot))));
    Ok(Minutes { entitled: vote.entitled, present: vote.present, secret: vote.secret, ballots })
}

fn step(
    registry: &app::Registry,
    program: &Program,
    case: &RecordKey,
    id: &str,
    lang: Lang,
) -> Result<model::flow::StepIndex, Failure> {
    let case = procedure::read_case(registry.view(), case).map_err(|error| failure(error, lang))?;
    let flow = declared(program, &case.state.flow).map_err(|error| failure(error, lang))?;
    let steps: Vec<&str> = flow.machine.steps.iter().map(|step| step.id.as_str()).collect();
    let hint = steps.join(", ");
    flow.machine.step_named(id).ok_or_else(|| {
        let text = text!("没有步骤 `{id}`", "there is no step `{id}`");
        Failure::with_hint(text, text!("步骤有 `{hint}`", "its steps are {hint}"))
    })
}

fn digest(file: &Path) -> Result<Digest, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
    Ok(Digest::of(&bytes))
}
