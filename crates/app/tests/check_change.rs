//! What a form is told before it is saved is what recording the change would bring about, and nothing is stored.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "shared by tests that each use a part")]
mod common;
#[allow(dead_code, reason = "shared by tests that each use a part")]
#[path = "common/province.rs"]
mod province;

use std::sync::Arc;

use app::assess::{AssessOptions, Out, assess_snapshot};
use app::check_change::{Checked, FindingState, Standing, check_change};
use app::explain::StoredRun;
use app::import::Severity;
use app::reassess::Reassessment;
use app::{Viewer, changes};
use common::{day, loaded};
use evaluate::records::Patch;
use model::Lang;
use pack::program::{ColumnKind, Program};
use province::{generate, read};
use synth::Format;

struct Office {
    folder: tempfile::TempDir,
    program: Arc<Program>,
    run: Arc<StoredRun>,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pack = loaded();
        let snapshot = folder.path().join("snapshot");
        generate(&pack.program, 1_200, 11, 2, Format::Snapshot, &snapshot);
        let out = folder.path().join("run");
        let options = AssessOptions::new(day("2015-12-31"), Out::Folder(out.clone()));
        assess_snapshot(&snapshot, &pack, &options).unwrap();
        let run = StoredRun::open(&out).unwrap();
        Self { folder, program: Arc::new(pack.program), run: Arc::new(run) }
    }

    fn standing(&self) -> Standing {
        Standing::new(Arc::clone(&self.program), Arc::clone(&self.run)).unwrap()
    }

    /// The first keys of an entity, in order of the snapshot.
    fn keys(&self, entity: &str) -> Vec<String> {
        use arrow::array::AsArray as _;
        let id = self.program.entity_named(entity).unwrap();
        let batch = read(&self.folder.path().join("snapshot"), entity);
        let key = &self.program.column(self.program.entity(id).key).name;
        let keys = batch.column_by_name(key).unwrap().as_string::<i32>();
        keys.iter().take(40).flatten().map(str::to_owned).collect()
    }

    fn check(&self, standing: &Standing, pencilled: &Arc<Patch>, change: &str) -> Checked {
        check_change(standing, pencilled, &changes::read(&self.program, change).unwrap()).unwrap()
    }

    /// Every file of the run and its snapshot, with the time of its last change.
    fn files(&self) -> Vec<(std::path::PathBuf, std::time::SystemTime)> {
        let folders = ["snapshot", "run"].map(|name| self.folder.path().join(name));
        let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
        let mut files: Vec<_> = files
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap()))
            .collect();
        files.sort();
        files
    }
}

#[test]
fn what_is_said_is_what_recording_it_would_change() {
    let office = Office::new();
    let standing = office.standing();
    let files = office.files();
    let (mut compared, mut by_rule) = (0, 0);
    for key in office.keys("household") {
        let change = format!(r#"{{"household": {{"{key}": {{"wages": 1, "production_cost": 900000}}}}}}"#);
        let checked = office.check(&standing, &Arc::default(), &change);
        let mut reassessment = Reassessment::new(&office.program, &office.run).unwrap();
        let reassessed = reassessment.apply(&changes::read(&office.program, &change).unwrap()).unwrap();
        let reassessed = reassessment.masked(&Viewer::masked(&office.program), reassessed);
        let mut expected = Vec::new();
        for record in reassessed.records.iter().rev() {
            for (column, before, after) in &record.values {
                if !matches!(office.program.column(*column).kind, ColumnKind::Field(_)) {
                    expected.push((record.key.clone(), *column, before.clone(), after.clone()));
                }
            }
        }
        let said: Vec<_> = checked
            .results
            .iter()
            .map(|it| (it.key.clone(), it.column, it.before.clone(), it.after.clone()))
            .collect();
        assert_eq!(said, expected, "{key}");
        assert_eq!(checked.totals, reassessed.totals, "{key}");
        compared += said.len();
        by_rule += checked.results.iter().filter(|it| it.rule.is_some() && !it.clauses.is_empty()).count();
    }
    assert!(compared > 500 && by_rule > 50, "{compared} results, {by_rule} with a clause");
    assert_eq!(office.files(), files, "nothing is stored");
}

#[test]
fn a_second_question_stands_on_the_first_only_where_it_is_pencilled() {
    let office = Office::new();
    let standing = office.standing();
    let key = &office.keys("household")[0];
    let change = |wages: u32| format!(r#"{{"household": {{"{key}": {{"wages": {wages}}}}}}}"#);
    let first = office.check(&standing, &Arc::default(), &change(900_000));
    assert!(!first.results.is_empty());
    let again = office.check(&standing, &Arc::default(), &change(900_000));
    assert_eq!(again.results, first.results);
    let pencilled = office.check(&standing, &first.pencilled, &change(900_000));
    assert!(pencilled.results.is_empty(), "{:?}", pencilled.results);
    let back = office.check(&standing, &first.pencilled, &change(1));
    let afresh = office.check(&standing, &Arc::default(), &change(1));
    let after = |checked: &Checked| {
        checked.results.iter().map(|it| (it.key.clone(), it.column, it.after.clone())).collect::<Vec<_>>()
    };
    for result in after(&afresh) {
        // What came out so at first already has not changed since.
        let of_first = first.results.iter().find(|it| (&it.key, it.column) == (&result.0, result.1));
        let stays = of_first.is_some_and(|it| it.after == result.2);
        assert!(stays || after(&back).contains(&result), "{result:?}, at first {of_first:?}");
    }
}

#[test]
fn many_ask_at_once_and_each_is_answered_as_if_alone() {
    let office = Office::new();
    let standing = office.standing();
    let keys = office.keys("household");
    let ask = |user: usize| -> Vec<String> {
        keys.iter()
            .map(|key| {
                let change = format!(r#"{{"household": {{"{key}": {{"wages": {}}}}}}}"#, user * 1_000);
                office
                    .check(&standing, &Arc::default(), &change)
                    .to_json(&office.program, Lang::En)
                    .to_string()
            })
            .collect()
    };
    let alone: Vec<Vec<String>> = (0..4).map(ask).collect();
    let ask = &ask;
    let together: Vec<Vec<String>> = std::thread::scope(|scope| {
        let users: Vec<_> = (0..4).map(|user| scope.spawn(move || ask(user))).collect();
        users.into_iter().map(|user| user.join().unwrap()).collect()
    });
    assert_eq!(together, alone);
    assert_ne!(alone[0], alone[3]);
}

#[test]
fn a_form_is_told_what_an_import_would_find() {
    let office = Office::new();
    let standing = office.standing();
    let (household, person) = (&office.keys("household")[0], &office.keys("person")[0]);
    let check = |change: &str, expected: &[(&str, Severity, FindingState)], refused: bool| {
        let change = change.replace("HOUSEHOLD", household).replace("PERSON", person);
        let checked = office.check(&standing, &Arc::default(), &change);
        for (code, severity, state) in expected {
            let found = checked.findings.iter().any(|finding| {
                finding.code == *code && finding.severity == *severity && finding.state == *state
            });
            assert!(found, "{change}: {code} is not among {:#?}", checked.findings);
        }
        assert_eq!(checked.is_refused(), refused, "{change}: {:#?}", checked.findings);
        checked
    };
    let (new, refused) = (FindingState::New, Severity::Refused);
    check(r#"{"household": {"HOUSEHOLD": {"wages": 1}}}"#, &[], false);
    check(r#"{"person": {"PERSON": {"household": "nobody"}}}"#, &[("parent-not-found", refused, new)], true);
    let added = check(
        r#"{"person": {"another": {"household": "HOUSEHOLD"}}}"#,
        &[("required-missing", refused, new)],
        true,
    );
    assert!(added.results.iter().any(|it| it.key == *household), "the household has another member");
    let wrong = r#"{"household": {"HOUSEHOLD": {"net_income": 7}}}"#;
    let checked = check(wrong, &[("net-income-not-sum", Severity::Warning, new)], false);
    let finding = checked.findings.iter().find(|finding| finding.code == "net-income-not-sum").unwrap();
    assert!(finding.rule.is_some() && finding.field.is_some());
    assert!(
        finding.message.zh.contains("7.00") && !finding.message.zh.contains('{'),
        "{}",
        finding.message.zh
    );
    // What is pencilled and mended again is said to be gone.
    let parts = r#"{"household": {"HOUSEHOLD": {"wages": 7, "production": 0, "production_cost": 0, "property": 0, "transfers": 0}}}"#;
    let mend = changes::read(&office.program, &parts.replace("HOUSEHOLD", household)).unwrap();
    let mended = check_change(&standing, &checked.pencilled, &mend).unwrap();
    let gone = |finding: &&app::check_change::CheckFinding| finding.state == FindingState::Gone;
    assert!(mended.findings.iter().filter(gone).any(|finding| finding.code == "net-income-not-sum"));
    let stay = &office.keys("stay")[0];
    let back = format!(
        r#"{{"stay": {{"{stay}": {{"admitted_on": "2015-03-02", "discharged_on": "2015-03-01"}}}}}}"#
    );
    check(&back, &[("discharged-before-admitted", refused, new)], true);
}
