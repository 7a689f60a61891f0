//! Divisions change, yesterday's map stays, and records follow.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{Builder, day, entity, field, import, meta, registry_id, text, told};
use model::{DivisionCode, DivisionLevel};
use pack::program::{Program, Value};
use store::{DivisionEventKind, NewDivision, Reassignment, Registry, StoreError, read_division_list};
use tempfile::TempDir;

const LIST: &str = "code,parent,level,name
510000000000,,province,四川省
513300000000,510000000000,prefecture,甘孜藏族自治州
513336000000,513300000000,county,乡城县
513336100000,513336000000,township,香巴拉镇
513336102000,513336000000,township,青德镇
513336100201,513336100000,village,一村
513336100202,513336100000,village,二村
513336102201,513336102000,village,三村
";

fn code(text: &str) -> DivisionCode {
    text.parse().unwrap()
}

fn program() -> Program {
    Builder::new("p")
        .entity("township", Some("township"), &["code text key", "name text"])
        .entity("village", Some("village"), &["code text key", "name text", "township text", "road bool"])
        .entity("household", None, &["number text key", "village text"])
        .edge("township", "village", "township", "township", "code", true)
        .edge("village", "household", "village", "village", "code", true)
        .0
}

struct Fixture {
    _folder: TempDir,
    program: Program,
    registry: Registry,
}

/// The list on 2010-01-01, with records of townships and villages, and one household in each village.
fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let program = program();
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    let list = read_division_list(LIST).unwrap();
    let mut session = registry.begin(meta(1)).unwrap();
    let levels = [DivisionLevel::Township, DivisionLevel::Village, DivisionLevel::County];
    assert_eq!(session.load_divisions(&list, day("2010-01-01"), &levels).unwrap().created, 8);
    session.commit().unwrap();
    let household = |number: &str, village: &str| vec![text(number), text(village)];
    let households = ["513336100201", "513336100202", "513336102201"];
    let households = (1..).zip(households).map(|(index, village)| household(&format!("h{index}"), village));
    import(&mut registry, &program, 2, "household", households.collect());
    Fixture { _folder: folder, program, registry }
}

impl Fixture {
    fn value(&self, entity_name: &str, key: &str, name: &str) -> Option<String> {
        let id = entity(&self.program, entity_name);
        let column = field(&self.program, id, name);
        let position = self.program.entities[id.index()].fields.iter().position(|&field| field == column);
        match self.registry.view().record(id, key).unwrap()?.values.swap_remove(position.unwrap())? {
            Value::Text(text) => Some(text),
            other => panic!("{other:?}"),
        }
    }

    fn names(&self, on: &str) -> Vec<String> {
        let divisions = self.registry.divisions_at(day(on)).unwrap();
        divisions.into_iter().map(|division| format!("{} {}", division.code.short(), division.name)).collect()
    }

    fn villages(&self, on: &str) -> Vec<String> {
        let divisions = self.registry.divisions_at(day(on)).unwrap();
        let villages = divisions.iter().filter(|division| division.level == DivisionLevel::Village);
        villages.map(|village| format!("{} in {}", village.code, village.parent.unwrap().short())).collect()
    }
}

#[test]
fn a_list_loads_once() {
    let mut fixture = fixture();
    assert!(fixture.names("2009-12-31").is_empty());
    assert_eq!(fixture.names("2010-01-01").len(), 8);
    assert_eq!(fixture.value("village", "513336100201", "township").as_deref(), Some("513336100000"));
    assert_eq!(fixture.value("township", "513336102000", "name").as_deref(), Some("青德镇"));
    let mut list = read_division_list(LIST).unwrap();
    list[7].name = "四村".into();
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    let loaded = session.load_divisions(&list, day("2011-01-01"), &[]).unwrap();
    assert_eq!((loaded.created, loaded.unchanged, loaded.differing), (0, 7, vec![code("513336102201")]));
}

#[test]
fn all_of_sichuan_loads() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015/data/divisions.csv");
    let list = read_division_list(&std::fs::read_to_string(path).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::create(folder.path(), &program(), registry_id()).unwrap();
    let mut session = registry.begin(meta(1)).unwrap();
    let loaded = session.load_divisions(&list, day("2010-01-01"), &[DivisionLevel::Village]).unwrap();
    assert_eq!(loaded.created, list.len() as u64);
    session.commit().unwrap();
    assert_eq!(registry.divisions_at(day("2015-01-01")).unwrap().len(), list.len());
    registry.check().unwrap();
}

#[test]
fn a_rename_keeps_the_old_name_for_old_reports() {
    let mut fixture = fixture();
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    session.rename_division(code("513336102201"), "团结村", day("2014-05-01"), "川民〔2014〕5号").unwrap();
    session.commit().unwrap();
    assert!(fixture.names("2014-04-30").contains(&"513336102201 三村".to_owned()));
    assert!(fixture.names("2014-05-01").contains(&"513336102201 团结村".to_owned()));
    assert_eq!(fixture.value("village", "513336102201", "name").as_deref(), Some("团结村"));
    let events = fixture.registry.division_events(code("513336102201")).unwrap();
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [DivisionEventKind::Create, DivisionEventKind::Rename]
    );
    assert_eq!(events[1].note, "川民〔2014〕5号");
}

#[test]
fn a_merge_takes_records_along_and_keeps_their_audit() {
    let mut fixture = fixture();
    let (one, two) = (code("513336100201"), code("513336100202"));
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    session.merge_divisions(&[one], two, day("2014-05-01"), "").unwrap();
    session.commit().unwrap();
    assert_eq!(fixture.villages("2014-04-30").len(), 3);
    assert_eq!(fixture.villages("2014-05-01").len(), 2);
    assert_eq!(fixture.value("household", "h1", "village").as_deref(), Some("513336100202"));
    assert_eq!(fixture.value("village", "513336100201", "name"), None, "its record has ended");
    let household = entity(&fixture.program, "household");
    let history = fixture.registry.history(household, "h1").unwrap();
    assert_eq!(told(&history[1]), [("village", text("513336100202"))]);
    assert_eq!(history[1].valid_from, Some(day("2014-05-01")));
    fixture.registry.check().unwrap();
}

#[test]
fn a_merged_township_hands_over_its_villages() {
    let mut fixture = fixture();
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    session.merge_divisions(&[code("513336102")], code("513336100"), day("2014-05-01"), "").unwrap();
    session.commit().unwrap();
    assert!(fixture.villages("2014-05-01").contains(&"513336102201 in 513336100".to_owned()));
    assert!(fixture.villages("2014-04-30").contains(&"513336102201 in 513336102".to_owned()));
    assert_eq!(fixture.value("village", "513336102201", "township").as_deref(), Some("513336100000"));
}

#[test]
fn a_move_may_bring_a_new_code() {
    let mut fixture = fixture();
    let (old, new) = (code("513336102201"), code("513336100203"));
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    session.move_division(code("513336100202"), code("513336102"), None, day("2014-05-01"), "").unwrap();
    session.move_division(old, code("513336100"), Some(new), day("2014-05-01"), "").unwrap();
    session.commit().unwrap();
    assert_eq!(
        fixture.villages("2014-05-01"),
        ["513336100201 in 513336100", "513336100202 in 513336102", "513336100203 in 513336100"]
    );
    assert_eq!(fixture.value("village", "513336100202", "township").as_deref(), Some("513336102000"));
    assert_eq!(fixture.value("village", "513336100203", "name").as_deref(), Some("三村"));
    assert_eq!(fixture.value("village", "513336100203", "township").as_deref(), Some("513336100000"));
    assert_eq!(fixture.value("village", "513336102201", "name"), None);
    assert_eq!(fixture.value("household", "h3", "village").as_deref(), Some("513336100203"));
    fixture.registry.check().unwrap();
}

#[test]
fn a_split_sends_each_record_where_it_is_told() {
    let mut fixture = fixture();
    let (from, part) = (code("513336100201"), code("513336100209"));
    let parent = Some(code("513336100"));
    let new = NewDivision { code: part, parent, level: DivisionLevel::Village, name: "新村".into() };
    let household = entity(&fixture.program, "household");
    let reassign = [Reassignment { entity: household, key: "h1".into(), to: part }];
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    let result = session.split_division(from, std::slice::from_ref(&new), &[], day("2014-05-01"), "");
    assert_eq!(result.unwrap_err().code(), "division-not-empty");
    drop(session);
    let mut session = fixture.registry.begin(meta(3)).unwrap();
    session.split_division(from, &[new], &reassign, day("2014-05-01"), "").unwrap();
    session.commit().unwrap();
    assert!(!fixture.villages("2014-05-01").contains(&"513336100201 in 513336100".to_owned()));
    assert_eq!(fixture.value("household", "h1", "village").as_deref(), Some("513336100209"));
    assert_eq!(fixture.value("village", "513336100209", "name").as_deref(), Some("新村"));
    assert_eq!(fixture.value("village", "513336100201", "name"), None);
    fixture.registry.check().unwrap();
}

#[test]
fn what_cannot_have_happened_is_refused() {
    let mut fixture = fixture();
    let on = day("2014-05-01");
    let mut check = |name: &str, act: &dyn Fn(&mut store::ImportSession<'_>) -> Result<(), StoreError>| {
        let mut session = fixture.registry.begin(meta(3)).unwrap();
        session.rename_division(code("513336100201"), "甲", day("2015-01-01"), "").unwrap();
        assert_eq!(act(&mut session).unwrap_err().code(), name);
    };
    let (one, two) = (code("513336100201"), code("513336100202"));
    check("division-missing", &|session| session.rename_division(code("11"), "a", on, ""));
    check("division-missing", &|session| session.rename_division(two, "a", day("2009-01-01"), ""));
    check("division-order", &|session| session.rename_division(one, "a", on, ""));
    check("division-missing", &|session| session.merge_divisions(&[two], code("513336102"), on, ""));
    check("division-missing", &|session| session.merge_divisions(&[two], two, on, ""));
    check("division-missing", &|session| session.move_division(two, one, None, on, ""));
    check("division-exists", &|session| session.move_division(two, code("513336102"), Some(one), on, ""));
}
