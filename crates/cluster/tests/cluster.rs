//! A scheduler and two executors on loopback: the same bytes as one process, also when an executor dies.

#[allow(dead_code, reason = "shared by tests that each use a part")]
#[path = "../../xiaokang/tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::cases::{by_date, tables_at};
use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array,
};
use arrow::compute::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const PATIENCE: Duration = Duration::from_mins(5);

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project is there")
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    socket.expect("a free port").port()
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiaokang-cluster"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running(command.spawn().expect("the binary starts"))
}

/// A scheduler, and the file with the secret of its cluster.
struct Cluster {
    url: String,
    secret: Option<PathBuf>,
    _scheduler: Running,
}

impl Cluster {
    fn new(secret: Option<PathBuf>) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut arguments = vec!["scheduler", "--listen", &address, "--executor-timeout", "5"];
        let named = secret.as_ref().map(|secret| secret.display().to_string());
        arguments.extend(named.iter().flat_map(|secret| ["--secret", secret]));
        let scheduler = start(&arguments);
        wait(|| std::net::TcpStream::connect(&address).is_ok());
        Self { url: format!("http://{address}"), secret, _scheduler: scheduler }
    }

    /// The words with which a run is sent here.
    fn away(&self) -> Vec<String> {
        let mut words = vec!["--cluster".to_owned(), self.url.clone()];
        if let Some(secret) = &self.secret {
            words.extend(["--cluster-secret".to_owned(), secret.display().to_string()]);
        }
        words
    }

    fn executor(&self) -> Running {
        let port = free_port();
        let mut arguments =
            ["executor", "--scheduler", &self.url, "--threads", "1", "--port"].map(String::from).to_vec();
        arguments.push(port.to_string());
        if let Some(secret) = &self.secret {
            arguments.extend(["--secret".to_owned(), secret.display().to_string()]);
        }
        let executor = start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        wait(|| std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
        executor
    }
}

#[expect(clippy::disallowed_methods, reason = "other processes give no event to wait for")]
fn wait(until: impl Fn() -> bool) {
    let since = Instant::now();
    while !until() {
        assert!(since.elapsed() < PATIENCE, "what was waited for did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a run is made of.
struct Work {
    snapshot: PathBuf,
    pack: PathBuf,
    as_of: String,
}

impl Work {
    fn command(&self, out: &Path, more: &[&str]) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        let mut all = vec!["assess".to_owned(), "--snapshot".to_owned(), text(&self.snapshot)];
        all.extend(["--pack".to_owned(), text(&self.pack), "--as-of".to_owned(), self.as_of.clone()]);
        all.extend(["--out".to_owned(), text(out), "--json".to_owned()]);
        all.extend(more.iter().map(|&word| word.to_owned()));
        all
    }

    fn start(&self, out: &Path, more: &[&str]) -> Running {
        let command = self.command(out, more);
        start(&command.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn finish(running: Running) -> Output {
        let mut running = running;
        let child = std::mem::replace(
            &mut running.0,
            Command::new("true").spawn().expect("a process that ends at once"),
        );
        child.wait_with_output().expect("it ends")
    }

    /// The folder of a finished run.
    fn run(&self, out: &Path, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
        succeeded(&Self::finish(self.start(out, more)));
        files(out)
    }
}

fn succeeded(output: &Output) {
    // 1 says that there are findings for a person.
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a run folder");
    let files = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("a file"))
    });
    files.collect()
}

fn same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{name} differs");
    }
}

fn write(folder: &Path, entity: &str, batch: &RecordBatch) {
    let file = std::fs::File::create(folder.join(format!("{entity}.parquet"))).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(batch).expect("it is written");
    writer.close().expect("it is closed");
}

fn write_manifest(folder: &Path, digest: &str, rows: &BTreeMap<String, usize>) {
    let entities: serde_json::Map<String, serde_json::Value> =
        rows.iter().map(|(name, rows)| (name.clone(), serde_json::json!({ "rows": rows }))).collect();
    let manifest = serde_json::json!({ "format": 1, "digest": digest, "entities": entities });
    std::fs::write(folder.join("snapshot.json"), manifest.to_string()).expect("it is written");
}

/// Some hundred thousand persons, in several groups.
fn twelve_rules(folder: &Path) -> Work {
    const VILLAGES: i32 = 480;
    const HOUSEHOLDS: i32 = 90;
    const PERSONS: i32 = 10;
    let snapshot = folder.join("snapshot");
    std::fs::create_dir(&snapshot).expect("a folder");
    let (villages, households, persons) = (VILLAGES, VILLAGES * HOUSEHOLDS, VILLAGES * HOUSEHOLDS * PERSONS);
    let numbers = |count: i32| Arc::new((0..count).collect::<Int32Array>()) as ArrayRef;
    let parents = |count: i32, each: i32| {
        Arc::new((0..count).map(|row| row / each).collect::<Int32Array>()) as ArrayRef
    };
    let keys = |count: i32| {
        Arc::new((0..count).map(|row| Some(row.to_string())).collect::<StringArray>()) as ArrayRef
    };
    let flags = |count: i32, every: i32| {
        Arc::new((0..count).map(|row| Some(row % every != 0)).collect::<BooleanArray>()) as ArrayRef
    };
    let amounts = |count: i32, factor: i64, below: i64| {
        Arc::new((0..count).map(|row| i64::from(row) * factor % below).collect::<Int64Array>()) as ArrayRef
    };
    let village = RecordBatch::try_from_iter([
        ("_row", numbers(villages)),
        ("code", keys(villages)),
        ("ethnic", flags(villages, 3)),
        ("road", flags(villages, 50)),
        ("clinic", flags(villages, 51)),
        ("culture_room", flags(villages, 52)),
        ("network", flags(villages, 53)),
        ("collective_income", flags(villages, 54)),
    ]);
    let household = RecordBatch::try_from_iter([
        ("_row", numbers(households)),
        ("_village", parents(households, HOUSEHOLDS)),
        ("number", keys(households)),
        ("net_income", amounts(households, 7_919, 9_000_000)),
        ("in_relocation_plan", flags(households, 2)),
        ("loan_principal", amounts(households, 104_729, 8_000_000)),
        ("loan_year", amounts(households, 1, 6)),
        ("housing_safe", flags(households, 30)),
        ("water_safe", flags(households, 40)),
    ]);
    let person = RecordBatch::try_from_iter([
        ("_row", numbers(persons)),
        ("_household", parents(persons, PERSONS)),
        ("number", keys(persons)),
        ("age", amounts(persons, 13, 90)),
        ("able_to_work", flags(persons, 10)),
        ("disabled", flags(persons, 2)),
        ("stage", amounts(persons, 1, 5)),
        ("dropped_out", flags(persons, 2)),
        ("bill", amounts(persons, 15_485_863, 50_000_000)),
        ("insured", flags(persons, 100)),
    ]);
    let mut rows = BTreeMap::new();
    for (name, batch) in [("village", village), ("household", household), ("person", person)] {
        let batch = batch.expect("columns of one length");
        write(&snapshot, name, &batch);
        rows.insert(name.to_owned(), batch.num_rows());
    }
    write_manifest(&snapshot, "invented", &rows);
    Work { snapshot, pack: project().join("bench/twelve-rules/pack"), as_of: "2019-12-31".to_owned() }
}

/// Groups that are staged for a run.
fn staged(out: &Path) -> usize {
    // The run is built in a folder that also names the process.
    let name = out.file_name().expect("a name").to_string_lossy().into_owned();
    let beside = std::fs::read_dir(out.parent().expect("a folder")).expect("the folder is there");
    let of_run = |entry: &std::fs::DirEntry| {
        let found = entry.file_name().to_string_lossy().into_owned();
        found.starts_with(&format!(".{name}.")) && found.ends_with(".building.groups")
    };
    let staging = beside.flatten().filter(of_run);
    let groups = staging.filter_map(|staging| std::fs::read_dir(staging.path()).ok()).flatten();
    groups.flatten().filter(|group| group.path().join("group.json").is_file()).count()
}

#[test]
fn a_cluster_gives_the_same_bytes_and_never_part_of_a_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let work = twelve_rules(folder.path());
    let local = work.run(&folder.path().join("local"), &["--threads", "2"]);
    let secret = folder.path().join("secret");
    succeeded(&Work::finish(start(&["secret", &secret.display().to_string()])));
    let cluster = Cluster::new(Some(secret));
    let (first, second) = (cluster.executor(), cluster.executor());
    let away = cluster.away();
    let away: Vec<&str> = away.iter().map(String::as_str).collect();

    same(&work.run(&folder.path().join("whole"), &away), &local);

    // One executor dies: the other does its groups.
    let out = folder.path().join("survived");
    let running = work.start(&out, &away);
    wait(|| staged(&out) > 0);
    drop(first);
    succeeded(&Work::finish(running));
    same(&files(&out), &local);

    // All die: an error, and nothing that looks like a run.
    let out = folder.path().join("lost");
    let running = work.start(&out, &away);
    wait(|| staged(&out) > 0);
    drop(second);
    let output = Work::finish(running);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("什么也没有写"), "{said}");
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("lost"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn who_does_not_hold_the_secret_is_not_heard() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let work = twelve_rules(folder.path());
    let [secret, other, short] = ["secret", "other", "short"].map(|name| folder.path().join(name));
    for file in [&secret, &other] {
        succeeded(&Work::finish(start(&["secret", &file.display().to_string()])));
    }
    std::fs::write(&short, "poverty").expect("it is written");
    let cluster = Cluster::new(Some(secret));
    let _executor = cluster.executor();
    let others: [&[&str]; 3] = [
        &["--cluster", &cluster.url],
        &["--cluster", &cluster.url, "--cluster-secret", &other.display().to_string()],
        &["--cluster", &cluster.url, "--cluster-secret", &short.display().to_string()],
    ];
    for (number, words) in others.into_iter().enumerate() {
        let out = folder.path().join(format!("refused-{number}"));
        let output = Work::finish(work.start(&out, words));
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!out.exists());
    }
    // An executor that does not hold it gets no task, so nobody works for the scheduler but the one that does.
    let stranger = start(&["executor", "--scheduler", &cluster.url, "--port", &free_port().to_string()]);
    let output = Work::finish(stranger);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    // Where others could reach it, nothing is started without a secret, and an existing file is not written over.
    for arguments in [
        &["scheduler", "--listen", "0.0.0.0:0"][..],
        &["executor", "--host", "0.0.0.0", "--port", "0"],
        &["secret", &other.display().to_string()],
    ] {
        assert_eq!(Work::finish(start(arguments)).status.code(), Some(2));
    }
    succeeded(&Work::finish(work.start(
        &folder.path().join("heard"),
        &cluster.away().iter().map(String::as_str).collect::<Vec<_>>(),
    )));
}

#[test]
fn the_worked_cases_and_a_random_world_pass_on_a_cluster() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pack = project().join("packs/sichuan-2015");
    let program = app::packs::load(&pack, &[], &[]).expect("the pack compiles").program;
    let schemas = store::snapshot_schemas(&program).expect("the pack makes snapshots");
    let cluster = Cluster::new(None);
    let _executors = [cluster.executor(), cluster.executor()];
    let mut compared = 0;
    let cases = by_date(&program).into_keys().map(|as_of| {
        (format!("cases-{as_of}"), as_of, tables_at(&program, as_of).expect("tables of the cases"))
    });
    let mut worlds: Vec<_> = cases.collect();
    let as_of = "2016-12-31".parse().expect("a day");
    worlds.push(("world".to_owned(), as_of, common::world(&program, as_of, 2015)));
    for (name, as_of, tables) in worlds {
        let snapshot = folder.path().join(format!("snapshot-{name}"));
        std::fs::create_dir(&snapshot).expect("a folder");
        let mut rows = BTreeMap::new();
        for (entity, schema) in program.entities.iter().zip(&schemas) {
            let count = tables.get(&entity.name).map_or(0, RecordBatch::num_rows);
            let columns = schema.fields().iter().map(|field| {
                let found = tables.get(&entity.name).and_then(|table| table.column_by_name(field.name()));
                let array = found.cloned().unwrap_or_else(|| new_null_array(field.data_type(), count));
                (field.name().as_str(), array, true)
            });
            let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
            write(&snapshot, &entity.name, &batch);
            rows.insert(entity.name.clone(), count);
        }
        write_manifest(&snapshot, &name, &rows);
        let out = folder.path().join(format!("run-{name}"));
        let work = Work { snapshot, pack: pack.clone(), as_of: as_of.to_string() };
        let away = cluster.away();
        work.run(&out, &away.iter().map(String::as_str).collect::<Vec<_>>());
        let expected = app::run_tables(&program, as_of, tables).expect("it runs");
        for (entity, expected) in expected.iter().filter(|(_, batch)| batch.num_rows() > 0) {
            let file =
                std::fs::File::open(out.join(format!("{entity}.parquet"))).expect("a table of results");
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a table");
            let schema = Arc::clone(reader.schema());
            let batches: Vec<_> =
                reader.build().expect("a table").collect::<Result<_, _>>().expect("it is read");
            let found = concat_batches(&schema, &batches).expect("batches");
            for (field, column) in expected.schema().fields().iter().zip(expected.columns()) {
                let other = found.column_by_name(field.name());
                assert_eq!(other, Some(column), "{entity}.{} as of {as_of}", field.name());
                compared += column.len();
            }
        }
    }
    println!("{compared} cells compared");
    assert!(compared > 100_000);
}
