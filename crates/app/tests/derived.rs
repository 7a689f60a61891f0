//! Derived fields over a registry: computed with the snapshot, explained by their route, never imported.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use app::cells::cell;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use pack::program::Value;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use app::assess::{AssessOptions, Assessment, Out, assess};
use app::explain::StoredRun;
use app::import::{ImportOptions, import};
use app::packs::Loaded;
use model::{Date, Lang};
use store::{ImportMeta, Moment, Record, Registry, RegistryId, Statement, listen_to_statements};

const PACK: &str = r#"
[pack]
id = "p"
version = "1"
title = { zh = "试", en = "test" }
as_of = 2015-12-31

[[clause]]
id = "11.5"
kind = "standard"
summary = { zh = "通路", en = "road" }

[[list]]
id = "road"
label = { zh = "等级", en = "class" }
codes = [{ code = "first", zh = "一级", en = "first" }, { code = "second", zh = "二级", en = "second" }]

[[entity]]
id = "region"
label = { zh = "州", en = "region" }
key = "code"
rows_max = 10
sheet = ["州"]
[[entity.field]]
id = "code"
label = { zh = "州编码", en = "region code" }
type = "text"
required = true
[[entity.field]]
id = "seat"
label = { zh = "州府节点", en = "region seat" }
type = "text"

[[entity]]
id = "district"
label = { zh = "县", en = "district" }
key = "code"
parent = { entity = "region", via = "region_code", required = true }
rows_max = 10
sheet = ["县"]
[[entity.field]]
id = "code"
label = { zh = "县编码", en = "district code" }
type = "text"
required = true
[[entity.field]]
id = "region_code"
label = { zh = "州编码", en = "region code" }
type = "text"
required = true
[[entity.field]]
id = "seat"
label = { zh = "县城节点", en = "seat" }
type = "text"
[[entity.field]]
id = "road_class"
label = { zh = "到州府的最好公路等级", en = "best road to the region's seat" }
type = "code(road)"
derived = { network = "roads", function = "best_worst_class", from = "seat", to = "region.seat" }
[[entity.field]]
id = "road_route"
label = { zh = "路线", en = "route" }
type = "text"
derived = { network = "roads", function = "route", from = "seat", to = "region.seat" }
[[entity.field]]
id = "segments_before"
label = { zh = "上期数", en = "before" }
type = "count"
range = [0, 100]
derived = { previous_run = "segments" }

[[entity]]
id = "node"
label = { zh = "节点", en = "node" }
key = "code"
parent = { entity = "district", via = "district_code", required = true }
rows_max = 100
sheet = ["节点"]
[[entity.field]]
id = "code"
label = { zh = "节点编码", en = "node code" }
type = "text"
required = true
[[entity.field]]
id = "district_code"
label = { zh = "县编码", en = "district code" }
type = "text"
required = true

[[entity]]
id = "segment"
label = { zh = "路段", en = "segment" }
key = "code"
parent = { entity = "node", via = "start_code", required = true }
refs = [{ name = "end", entity = "node", via = "end_code", required = true }]
rows_max = 100
sheet = ["路段"]
[[entity.field]]
id = "code"
label = { zh = "路段编码", en = "segment code" }
type = "text"
required = true
[[entity.field]]
id = "start_code"
label = { zh = "起点", en = "start" }
type = "text"
required = true
[[entity.field]]
id = "end_code"
label = { zh = "终点", en = "end" }
type = "text"
required = true
[[entity.field]]
id = "class"
label = { zh = "等级", en = "class" }
type = "code(road)"

[[network]]
id = "roads"
nodes = "node"
edges = "segment"
from = "node"
to = "end"
class = "class"

[[standard]]
id = "joined"
on = "district"
title = { zh = "公路连通", en = "joined by road" }
cite = ["11.5"]
holds = "road_class = 'first'"

[[variable]]
id = "segments"
on = "district"
title = { zh = "路段数", en = "segments" }
type = "count"
expr = "count(segment)"

[[variable]]
id = "segments_added"
on = "district"
title = { zh = "新增", en = "added" }
type = "count"
expr = "segments - segments_before"

[[scorecard]]
id = "card"
on = "node"
title = { zh = "考核", en = "card" }
cite = ["11.5"]
items = [{ id = "all", title = { zh = "路段", en = "segments" }, weight = 1, score = "count(segment)" }]
rank_within = "region"
"#;

fn day() -> Date {
    "2015-12-31".parse().unwrap()
}

struct Office {
    folder: tempfile::TempDir,
    pack: Loaded,
    registry: Registry,
}

/// Every office's registry has an id of its own.
fn next_id() -> RegistryId {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    RegistryId::from_random([NEXT.fetch_add(1, Ordering::Relaxed); 16])
}

fn load(folder: &Path) -> Loaded {
    match app::packs::load(&folder.join("p"), &[], &[]) {
        Ok(pack) => pack,
        Err(app::packs::PackError::Mistakes(failure)) => panic!("{}", failure.render(false)),
        Err(error) => panic!("{error}"),
    }
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("p")).unwrap();
        fs::write(folder.path().join("p/pack.toml"), PACK).unwrap();
        let pack = load(folder.path());
        let registry = Registry::create(&folder.path().join("r"), &pack.program, next_id()).unwrap();
        Self { folder, pack, registry }
    }

    fn import(&mut self, files: &[(&str, &str)]) {
        let files: Vec<PathBuf> = files
            .iter()
            .map(|(name, text)| {
                let path = self.folder.path().join(name);
                fs::write(&path, text).unwrap();
                path
            })
            .collect();
        let options = ImportOptions {
            actor: "tester".into(),
            now: Moment::from_unix_ms(1_451_980_800_000),
            as_of: day(),
            report: None,
            preview: false,
            allow_erase: false,
            progress: &|_| true,
        };
        import(&mut self.registry, &self.pack.program, &files, &options).unwrap();
    }

    fn assess(&self, name: &str, previous: Option<&Path>) -> Assessment {
        let out = Out::Folder(self.folder.path().join(name));
        let options = AssessOptions { previous: previous.map(Path::to_path_buf), ..options(out) };
        assess(&self.registry, &self.pack, &options).unwrap()
    }
}

fn options(out: Out) -> AssessOptions {
    AssessOptions { threads: 1, ..AssessOptions::new(day(), out) }
}

/// Recorded and computed columns of an entity in order of its key, as csv; unknown is empty.
fn table(run: &Path, entity: &str, columns: &str) -> String {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    let snapshot = run.join(manifest["snapshot"]["path"].as_str().unwrap());
    let read = |folder: &Path| {
        let file = File::open(folder.join(format!("{entity}.parquet"))).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        concat_batches(&schema, &batches).unwrap()
    };
    let recorded = read(&snapshot);
    // An entity of which nothing is computed has no results.
    let computed = run.join(format!("{entity}.parquet")).exists().then(|| read(run));
    let mut rows: Vec<String> = (0..recorded.num_rows())
        .map(|row| {
            let cells = columns.split(", ").map(|column| {
                let array =
                    recorded.column_by_name(column).or_else(|| computed.as_ref()?.column_by_name(column));
                match cell(array.unwrap(), row) {
                    None => String::new(),
                    Some(Value::Bool(value)) => value.to_string(),
                    Some(Value::Number(value)) => value.to_string(),
                    Some(Value::Date(value)) => value.to_string(),
                    Some(Value::Text(value)) => value,
                    Some(Value::Index(value)) => value.to_string(),
                }
            });
            cells.collect::<Vec<_>>().join(",")
        })
        .collect();
    rows.sort();
    format!("{}\n{}\n", columns.replace(", ", ","), rows.join("\n"))
}

fn districts(run: &Path, columns: &str) -> String {
    table(run, "district", columns)
}

#[test]
fn a_registry_s_network_an_earlier_run_and_ancestors_give_facts_to_a_run() {
    let mut office = Office::new();
    office.import(&[
        ("州.csv", "州编码,州府节点\nr,n1\n"),
        ("县.csv", "县编码,州编码,县城节点,到州府的最好公路等级,上期数\nd1,r,n1,二级,99\nd2,r,n2,一级,99\n"),
        ("节点.csv", "节点编码,县编码\nn1,d1\nn2,d2\nn3,d2\n"),
        ("路段.csv", "路段编码,起点,终点,等级\ns1,n2,n3,一级\ns2,n3,n1,二级\n"),
    ]);
    let first = office.assess("first", None);
    let known = districts(first.run.as_deref().unwrap(), "code, joined, segments, segments_added");
    assert_eq!(known, "code,joined,segments,segments_added\nd1,true,0,\nd2,false,2,\n");
    let ranks = table(first.run.as_deref().unwrap(), "node", "code, card, card_rank");
    assert_eq!(ranks, "code,card,card_rank\nn1,0,3\nn2,100,1\nn3,100,1\n");

    let stored = StoredRun::open(first.run.as_deref().unwrap()).unwrap();
    let program = &office.pack.program;
    let told =
        app::explain::explain(&app::Viewer::masked(program), &stored, "district", "d2", Some("joined"))
            .unwrap();
    let text: String = told.iter().map(|explanation| explanation.to_text(Lang::En)).collect();
    assert!(text.contains("s1 → s2"), "{text}");

    office.import(&[("路段.csv", "路段编码,起点,终点,等级\ns3,n2,n1,一级\n")]);
    let second = office.assess("second", first.run.as_deref());
    let known = districts(second.run.as_deref().unwrap(), "code, joined, segments, segments_added");
    assert_eq!(known, "code,joined,segments,segments_added\nd1,true,0,0\nd2,true,3,1\n");
}

#[test]
fn coverage_says_for_how_many_subjects_a_rule_has_results_in_a_run() {
    let mut office = Office::new();
    office.import(&[
        ("州.csv", "州编码,州府节点\nr,n1\n"),
        ("县.csv", "县编码,州编码,县城节点\nd1,r,n1\nd2,r,n2\nd3,r,\n"),
        ("节点.csv", "节点编码,县编码\nn1,d1\nn2,d2\n"),
        ("路段.csv", "路段编码,起点,终点,等级\ns1,n2,n1,一级\n"),
    ]);
    let run = office.assess("run", None).run;
    let program = &office.pack.program;
    let ran = app::coverage::in_run(program, run.as_deref().unwrap()).unwrap();
    let counts = |rule: &str| ran.get(rule).map(|ran| (ran.known, ran.subjects));
    assert_eq!(counts("joined"), Some((2, 3)));
    assert_eq!(counts("card"), Some((2, 2)));
    assert_eq!(counts("nothing"), None);

    let coverage = app::coverage::of(program);
    let text = coverage.to_text(program, Some(&ran), Lang::En);
    assert!(text.contains("joined: 3 subjects: 2 known, 1 unknown"), "{text}");
    assert_eq!(coverage.to_json(Some(&ran))["clauses"][0]["ran"]["joined"]["known"], 2);
    let page = coverage.to_html(program, Some(&ran), Lang::Zh).unwrap();
    assert!(page.contains("3 个对象：2 个有结果，1 个未知") && page.contains("已实现，无算例"), "{page}");
}

/// Two districts whose only road is `s1`, and the way to write its class.
fn office_with_one_road() -> Office {
    let mut office = Office::new();
    office.import(&[
        ("州.csv", "州编码,州府节点\nr,n1\n"),
        ("县.csv", "县编码,州编码,县城节点\nd1,r,n1\nd2,r,n2\n"),
        ("节点.csv", "节点编码,县编码\nn1,d1\nn2,d2\n"),
        ("路段.csv", "路段编码,起点,终点,等级\ns1,n2,n1,一级\n"),
    ]);
    office
}

fn write_class(registry: &mut Registry, pack: &Loaded, class: &str) {
    let program = &pack.program;
    let segment = program.entity_named("segment").unwrap();
    let columns = ["code", "class"].map(|name| program.column_named(segment, name).unwrap());
    let values = ["s1", class].map(|text| Some(Value::Text(text.into())));
    let meta = ImportMeta {
        actor: "tester".into(),
        role: String::new(),
        recorded_at: Moment::from_unix_ms(0),
        pack_digest: program.digest.clone(),
    };
    let mut session = registry.begin(meta).unwrap();
    session.upsert(segment, &columns, &[Record { values: values.into(), ..Record::default() }]).unwrap();
    session.commit().unwrap();
}

thread_local! {
    /// What another does as soon as this thread has read the roads.
    static MEANWHILE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

fn let_another_write(statement: Statement<'_>) {
    let read = matches!(statement, Statement::Ends(sql) if sql.contains("FROM \"state_segment\""));
    if let Some(write) = read.then(|| MEANWHILE.take()).flatten() {
        write();
    }
}

#[test]
fn derived_fields_and_facts_of_a_run_are_of_one_commit() {
    assert!(listen_to_statements(let_another_write));
    let office = office_with_one_road();
    let mut other = Registry::open(office.registry.folder(), &office.pack.program).unwrap();
    let pack = load(office.folder.path());
    MEANWHILE.set(Some(Box::new(move || write_class(&mut other, &pack, "second"))));
    let told = |run: &Path| {
        let roads = table(run, "segment", "code, class");
        roads + &districts(run, "code, road_class")
    };
    let run = office.assess("first", None).run.unwrap();
    assert!(MEANWHILE.take().is_none(), "another has written while the run was made");
    assert_eq!(told(&run), "code,class\ns1,first\ncode,road_class\nd1,first\nd2,first\n");
    let run = office.assess("second", None).run.unwrap();
    assert_eq!(told(&run), "code,class\ns1,second\ncode,road_class\nd1,first\nd2,second\n");
}

#[test]
fn runs_of_one_place_side_by_side_are_all_whole() {
    let office = office_with_one_road();
    let place = office.folder.path().join("place");
    let (registry, pack) = (office.registry.folder(), &office.pack);
    thread::scope(|scope| {
        for out in [Out::Usual, Out::Usual, Out::Folder(place.clone()), Out::Folder(place.clone())] {
            scope.spawn(move || {
                let registry = Registry::open(registry, &pack.program).unwrap();
                for _ in 0..4 {
                    let done = assess(&registry, pack, &options(out.clone())).unwrap();
                    assert_eq!(done.manifest.as_of.to_string(), "2015-12-31");
                }
            });
        }
    });
    assert_eq!(districts(&place, "code, joined"), "code,joined\nd1,true\nd2,true\n");
    let hidden = |folder: &Path| -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with('.')).collect()
    };
    for folder in [office.folder.path(), &registry.join("runs"), &registry.join("snapshots")] {
        assert_eq!(hidden(folder), [""; 0], "{}", folder.display());
    }
    assert_eq!(fs::read_dir(registry.join("snapshots")).unwrap().count(), 1);
}

#[test]
fn a_run_knows_the_registry_that_it_was_made_of() {
    let (one, other) = (office_with_one_road(), office_with_one_road());
    let run = StoredRun::open(one.assess("run", None).run.as_deref().unwrap()).unwrap();
    let program = &one.pack.program;
    let reassessment = app::reassess::Reassessment::new(program, &run).unwrap();
    assert_eq!(reassessment.since(&one.registry).unwrap(), []);
    // The other has the same records from files of the same names.
    assert!(matches!(
        reassessment.since(&other.registry),
        Err(app::reassess::ReassessError::OtherRegistry { .. })
    ));
}
