//! What is unknown is never shown as none: beside totals, before them, in reassessments and in workbooks; and what runs,
//! registries and workbooks refuse rather than answer wrongly.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use calamine::{Data, Range, Reader as _, Xlsx, open_workbook};
use serde_json::Value as Json;

const VILLAGE: &str = "513336100204";

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn xiaokang(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xiaokang"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", err(output)))
}

fn household(number: usize) -> String {
    format!("{VILLAGE}{number:05}")
}

/// A registry of twenty households of which so many have their wages recorded.
fn registry(folder: &Path, name: &str, known: usize) {
    if !folder.join("packs").exists() {
        let packs = project().join("packs").canonicalize().expect("the packs are there");
        std::os::unix::fs::symlink(packs, folder.join("packs")).expect("the packs are linked");
    }
    let mut households =
        "村编码,户编号,户主姓名,一卡通账号,工资性收入,生产经营性收入,生产经营性支出,财产性收入,转移性收入\n"
            .to_owned();
    let mut persons = "户编号,人编号,姓名,证件号码,劳动技能\n".to_owned();
    for number in 1..=20 {
        let key = household(number);
        let wages = if number <= known { "1000" } else { "" };
        households
            .push_str(&format!("{VILLAGE},{key},扎西顿珠,6222021234567890{number:03},{wages},0,0,0,0\n"));
        persons.push_str(&format!("{key},{key}01,扎西顿珠,,丧失劳动力\n"));
    }
    fs::write(folder.join("户.csv"), households).expect("a file is written");
    fs::write(folder.join("人.csv"), persons).expect("a file is written");
    let imported =
        xiaokang(folder, &["import", "--registry", name, "--pack", "packs/sichuan-2015", "户.csv", "人.csv"]);
    assert_eq!(imported.status.code(), Some(0), "{}{}", out(&imported), err(&imported));
}

fn assess(folder: &Path, registry: &str, more: &[&str]) -> Output {
    let mut arguments =
        vec!["assess", "--registry", registry, "--pack", "packs/sichuan-2015", "--as-of", "2015-12-31"];
    arguments.extend(more);
    xiaokang(folder, &arguments)
}

#[test]
fn totals_say_how_many_are_unknown_and_a_run_that_knows_too_little_says_so_first() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "registry", 4);
    let done = assess(here, "registry", &["--out", "run", "--lang", "en", "--json"]);
    let totals = json(&done);
    assert_eq!(done.status.code(), Some(1), "too little is known");
    assert_eq!((&totals["poor_households"], &totals["unknown"]["poor_households"]), (&4.into(), &16.into()));
    assert_eq!((&totals["households"], &totals["unknown"]["households"]), (&20.into(), &0.into()));
    let named = totals["unreliable"].as_array().expect("a list");
    assert!(named.contains(&"poor_households".into()) && !named.contains(&"households".into()), "{named:?}");
    let ids = |json: &Json| json.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert!(ids(&totals["unknown"]).iter().all(|id| !totals[id].is_null()), "the same names");
    assert!(err(&done).starts_with("warning: of the records behind these"), "{}", err(&done));
    assert!(err(&done).contains("wage income"), "{}", err(&done));

    // The whole province is listed, and only the village where something is recorded is unknown.
    assert_eq!(totals["unknown"]["poor_villages"], 1);

    for (lang, first, beside, cause) in [
        ("zh", "注意：以下", "4（另有 16 户未知）", "最常缺少：户的“工资性收入”"),
        ("en", "warning: of the records", "4  (16 unknown)", "“wage income” of household"),
    ] {
        let said = out(&assess(here, "registry", &["--out", "run", "--lang", lang]));
        assert!(said.starts_with(first) && said.contains(beside) && said.contains(cause), "{said}");
        assert!(said.contains("户.csv"), "it says where: {said}");
        assert!(!said.contains("\n\n"), "{said}");
    }
    let alone = json(&assess(here, "registry", &["--totals-only", "--json"]));
    assert_eq!(alone["unknown"], totals["unknown"], "also where no run is kept");

    // What becomes known is known no less.
    fs::write(
        here.join("changes.jsonl"),
        format!(
            "{{\"household\": {{\"{}\": {{\"wages\": 500000}}, \"{}\": {{\"wages\": null}}}}}}\n",
            household(20),
            household(1)
        ),
    )
    .expect("a file is written");
    let changed = ["reassess", "--run", "run", "--changes", "changes.jsonl"];
    let reassessed = json(&xiaokang(here, &[&changed[..], &["--json"]].concat()));
    assert_eq!(reassessed["totals"]["poor_households"], Json::from(vec![4, 3]));
    let said = out(&xiaokang(here, &[&changed[..], &["--lang", "en"]].concat()));
    assert!(said.contains("households under the poverty line: 4 → 3 (16 unknown)"), "{said}");
    fs::write(
        here.join("changes.jsonl"),
        format!("{{\"household\": {{\"{}\": {{\"wages\": 500000}}}}}}\n", household(20)),
    )
    .expect("a file is written");
    let reassessed = json(&xiaokang(here, &[&changed[..], &["--json"]].concat()));
    assert_eq!(reassessed["unknown"]["poor_households"], Json::from(vec![16, 15]), "{reassessed}");
}

#[test]
fn a_run_over_records_of_another_time_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "registry", 20);
    fs::write(here.join("贷款.csv"), format!("户编号,合同号,放款日期\n{},L1,2015-03-01\n", household(1)))
        .expect("a file");
    let loans =
        xiaokang(here, &["import", "--registry", "registry", "--pack", "packs/sichuan-2015", "贷款.csv"]);
    assert_eq!(loans.status.code(), Some(0), "{}{}", out(&loans), err(&loans));
    let of = |day: &str| {
        let arguments = [
            "assess",
            "--registry",
            "registry",
            "--pack",
            "packs/sichuan-2015",
            "--as-of",
            day,
            "--out",
            "run",
            "--lang",
            "en",
        ];
        out(&xiaokang(here, &arguments))
    };
    assert!(of("2020-12-31").contains("no record holds a date after 2015-03-01"), "{}", of("2020-12-31"));
    assert!(!of("2015-12-31").contains("no record holds a date"), "{}", of("2015-12-31"));
}

#[test]
fn only_the_registry_of_a_run_is_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "one", 20);
    assess(here, "one", &["--out", "run"]);
    // Another county's files have the same names.
    registry(here, "other", 3);
    let with = |registry: &str, lang: &str| {
        xiaokang(here, &["reassess", "--run", "run", "--registry", registry, "--lang", lang])
    };
    assert_eq!(with("one", "en").status.code(), Some(0), "{}", err(&with("one", "en")));
    for (lang, said) in [("zh", "不是同一个"), ("en", "the run was made from registry")] {
        let refused = with("other", lang);
        assert_eq!(refused.status.code(), Some(2), "{}", out(&refused));
        assert!(err(&refused).contains(said), "{}", err(&refused));
    }
}

#[test]
fn a_run_goes_where_its_snapshot_goes_or_says_what_it_lacks() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "registry", 20);
    assess(here, "registry", &["--out", "registry/runs/mine"]);
    let snapshots = fs::read_dir(here.join("registry/snapshots")).expect("snapshots");
    let snapshot =
        snapshots.map(|entry| entry.expect("an entry").path()).find(|path| path.is_dir()).expect("one");
    let copy = |from: &Path, to: &Path| {
        let done = Command::new("cp").arg("-r").arg(from).arg(to).status().expect("it copies");
        assert!(done.success());
    };
    fs::create_dir(here.join("away")).expect("a folder");
    copy(&here.join("registry/runs/mine"), &here.join("away/mine"));
    let explain = |more: &[&str]| {
        let key = household(1);
        let arguments =
            [&["explain", "--run", "away/mine", "household", key.as_str(), "poor"][..], more].concat();
        xiaokang(here, &arguments)
    };
    for (lang, said) in
        [("zh", "把快照文件夹同运行文件夹一起复制"), ("en", "copy the snapshot's folder along")]
    {
        let lost = explain(&["--lang", lang]);
        assert_eq!(lost.status.code(), Some(2));
        assert!(err(&lost).contains(said), "{}", err(&lost));
    }
    let named = explain(&["--snapshot", &snapshot.display().to_string()]);
    assert_eq!(named.status.code(), Some(0), "{}", err(&named));
    let wrong = explain(&["--snapshot", "registry"]);
    assert_eq!(wrong.status.code(), Some(2), "a folder that is no snapshot");
    copy(&snapshot, &here.join("away").join(snapshot.file_name().expect("a name")));
    assert_eq!(explain(&[]).status.code(), Some(0), "copied beside the run");
    let report = xiaokang(here, &["report", "--run", "away/mine", "--out", "away.xlsx"]);
    assert!(matches!(report.status.code(), Some(0 | 1)), "{}", err(&report));
}

fn sheet(path: &Path, name: &str) -> Range<Data> {
    let mut book: Xlsx<_> = open_workbook(path).expect("a workbook");
    book.worksheet_range(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn texts(range: &Range<Data>) -> String {
    range.rows().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|") + "\n").collect()
}

#[test]
fn the_workbook_leads_to_its_sheets_and_says_what_is_unknown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "registry", 4);
    assess(here, "registry", &["--out", "run"]);
    for (lang, front, totals, article, list, report, payments) in [
        ("zh", "目录", "总览", "第7条", "第23条名单", "低保应保名单", "发放清单"),
        (
            "en",
            "contents",
            "totals",
            "article 7",
            "article 23 list",
            "households owed the minimum…",
            "payments",
        ),
    ] {
        let name = format!("{lang}.xlsx");
        let made = xiaokang(here, &["report", "--run", "run", "--out", &name, "--lang", lang]);
        assert_eq!(made.status.code(), Some(1), "too little is known: {}{}", out(&made), err(&made));
        let path = here.join(&name);
        let names = open_workbook::<Xlsx<_>, _>(&path).expect("a workbook").sheet_names();
        assert_eq!(names[..2], [front, totals], "{names:?}");
        let index = texts(&sheet(&path, front));
        for linked in &names[1..] {
            assert!(
                index.lines().any(|line| line.starts_with(&format!("{linked}|"))),
                "{linked} is in the index: {index}"
            );
        }
        let (wage, unmet) =
            if lang == "zh" { ("工资性收入", "未达到") } else { ("wage income", "do not meet it") };
        assert!(index.contains(wage), "what is missing is said first: {index}");
        let figures = texts(&sheet(&path, totals));
        let poor = if lang == "zh" {
            "收入低于扶贫标准的户|4|户|16|20"
        } else {
            "households under the poverty line|4|household|16|20"
        };
        assert!(figures.contains(poor), "{figures}");
        // Twenty households of which all is unknown stand among the figures.
        assert!(
            texts(&sheet(&path, article)).lines().any(|line| line.contains("|0|0|20|")),
            "{}",
            texts(&sheet(&path, article))
        );
        let listed = texts(&sheet(&path, list));
        assert!(listed.contains(unmet), "{listed}");
        let minimum = texts(&sheet(&path, report));
        let unknown = if lang == "zh" { "未知" } else { "unknown" };
        assert!(minimum.contains(unknown) && minimum.contains(&household(1)), "{minimum}");
        let _ = payments;
    }
    let mut book: Xlsx<_> = open_workbook(here.join("zh.xlsx")).expect("a workbook");
    let formulas = book.worksheet_formula("第7条").expect("formulas");
    assert!(
        formulas.cells().any(|(_, _, formula)| formula.starts_with("SUBTOTAL(109,")),
        "totals are formulas"
    );
}

#[test]
fn accounts_are_masked_unless_somebody_asks_and_that_is_written_down() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "registry", 20);
    assess(here, "registry", &["--out", "run"]);
    let account = "6222021234567890001";
    let report = |out: &str, more: &[&str]| {
        let made = xiaokang(here, &[&["report", "--run", "run", "--out", out][..], more].concat());
        assert!(matches!(made.status.code(), Some(0 | 1)), "{}", err(&made));
        let mut book: Xlsx<_> = open_workbook(here.join(out)).expect("a workbook");
        let names = book.sheet_names();
        let all =
            names.iter().map(|name| texts(&book.worksheet_range(name).expect("a sheet"))).collect::<String>();
        (names, all)
    };
    let (names, masked) = report("masked.xlsx", &[]);
    assert!(names.contains(&"发放清单".to_owned()), "{names:?}");
    assert!(!masked.contains(account) && !masked.contains("扎西顿珠"), "nothing in full");
    assert!(masked.contains("扎**") && masked.contains("****0001"), "but masked");
    assert!(!here.join("run.disclosed.jsonl").exists());
    let (_, full) = report("full.xlsx", &["--unmasked", "--actor", "王科长", "--reason", "发放核对"]);
    assert!(full.contains(account) && full.contains("扎西顿珠"));
    let log = fs::read_to_string(here.join("run.disclosed.jsonl")).expect("a log");
    let line: Json = serde_json::from_str(log.trim()).expect("one line");
    assert_eq!((&line["actor"], &line["shown"]["out"]), (&"王科长".into(), &"full.xlsx".into()), "{line}");
    assert_eq!(line["reason"], "发放核对", "{line}");
}

#[test]
fn a_workbook_never_takes_the_place_of_an_input_and_an_old_one_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path();
    registry(here, "registry", 20);
    assess(here, "registry", &["--out", "run"]);
    fs::write(here.join("户.csv.xlsx"), "an officer's").expect("a file");
    let report = |out: &str| xiaokang(here, &["report", "--run", "run", "--out", out, "--lang", "en"]);
    for (place, said) in [("marked", "does not end in `.xlsx`"), ("run/report.xlsx", "lies in the run")] {
        let refused = report(place);
        assert_eq!(refused.status.code(), Some(2), "{place}");
        assert!(err(&refused).contains(said), "{}", err(&refused));
        assert!(!here.join(place).exists());
    }
    fs::write(here.join("old.xlsx"), "what was there").expect("a file");
    // No file may grow beyond 4 KiB: as on a full disk, the new workbook cannot be written.
    let binary = env!("CARGO_BIN_EXE_xiaokang");
    let full = Command::new("sh")
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f 8; exec {binary} report --run run --out old.xlsx --lang en"))
        .current_dir(here)
        .env("XIAOKANG_CACHE", "")
        .output()
        .expect("a shell starts");
    assert_eq!((full.status.code(), full.status.signal()), (Some(2), None), "{}", err(&full));
    assert!(err(&full).contains("what was there before is still there"), "{}", err(&full));
    assert_eq!(fs::read_to_string(here.join("old.xlsx")).expect("it is there"), "what was there");
    let left = fs::read_dir(here).expect("a folder").filter(|entry| {
        entry.as_ref().expect("an entry").file_name().to_string_lossy().ends_with(".building")
    });
    assert_eq!(left.count(), 0, "nothing is left behind");
    assert!(matches!(report("old.xlsx").status.code(), Some(0 | 1)));
    assert!(fs::metadata(here.join("old.xlsx")).expect("it is there").len() > 10_000);
}
