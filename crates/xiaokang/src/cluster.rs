//! `xiaokang cluster`, and what `xiaokang assess --cluster` needs.

use std::path::Path;
use std::sync::Arc;

use app::EngineError;
use app::assess::FindWorkers;
use app::packs::Loaded;
use cluster::{Client, Compile, Job};

use crate::arguments::{ClusterCommand, ExecutorOptions, SchedulerOptions};
use crate::console::{CommandResult, Failure, Outcome, pack_cache};

pub fn run(command: &ClusterCommand) -> CommandResult {
    match command {
        ClusterCommand::Scheduler(options) => scheduler(options),
        ClusterCommand::Executor(options) => executor(options),
    }
    .map(|()| Outcome::Done)
}

fn scheduler(options: &SchedulerOptions) -> Result<(), Failure> {
    cluster::scheduler(&cluster::SchedulerOptions {
        listen: options.listen,
        executor_timeout_seconds: options.executor_timeout,
    })
    .map_err(Failure::input)
}

fn executor(options: &ExecutorOptions) -> Result<(), Failure> {
    let address =
        options.scheduler.strip_prefix("http://").unwrap_or(&options.scheduler).trim_end_matches('/');
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let scheduler = parts.ok_or_else(|| {
        Failure::with_hint(
            cluster::ClusterError::Url { url: options.scheduler.clone() },
            "say where `xiaokang cluster scheduler` listens",
        )
    })?;
    let cache = pack_cache();
    let compile: Compile = Arc::new(move |text| {
        let pack =
            Loaded::of_text(text, Path::new("pack.json"), &cache).map_err(|error| error.to_string())?;
        Ok(pack.program)
    });
    cluster::executor(cluster::ExecutorOptions {
        scheduler,
        host: options.host.to_string(),
        port: options.port,
        task_port: options.task_port,
        threads: options
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        memory: options.memory.map(|size| size.0),
        work_dir: options.work_dir.as_ref().map(|folder| folder.display().to_string()),
        compile,
    })
    .map_err(Failure::input)
}

/// Has a run worked on by the executors of a scheduler.
pub fn workers(scheduler: &str, staging: Option<&str>) -> FindWorkers {
    let (scheduler, staging) = (scheduler.to_owned(), staging.map(ToOwned::to_owned));
    Arc::new(move |options, pack| {
        let place = |path: &Path| match path.canonicalize() {
            Ok(path) => Ok(path),
            Err(error) => Err(EngineError::File { path: path.to_owned(), source: error }),
        };
        let files = options.snapshot_files.as_deref();
        let snapshot = if files.is_some() { options.snapshot.clone() } else { place(&options.snapshot)? };
        let beside = match &options.out {
            Some(out) => {
                let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
                let parent = parent.unwrap_or(Path::new("."));
                std::fs::create_dir_all(parent)
                    .map_err(|error| EngineError::File { path: parent.to_owned(), source: error })?;
                place(parent)?.join(out.file_name().unwrap_or_default())
            }
            None if files.is_none() => snapshot.clone(),
            None if staging.is_some() => snapshot.clone(),
            None => {
                let reason = "say with `--staging` where the cluster leaves what it computes".to_owned();
                return Err(EngineError::Cluster(reason));
            }
        };
        let mut name = beside.file_name().unwrap_or_default().to_owned();
        name.push(".groups");
        let job = Job {
            staging: staging.clone().unwrap_or_else(|| beside.with_file_name(name).display().to_string()),
            snapshot: snapshot.display().to_string(),
            snapshot_digest: app::snapshot_digest(&snapshot, files)?,
            pack_digest: pack.program.digest.clone(),
            as_of: options.as_of.to_string(),
            results: options.out.is_some(),
        };
        let client = Client::new(&scheduler, job, pack.text(), Arc::new(pack.program.clone()))?;
        Ok(Arc::new(client))
    })
}

/// The files of a snapshot that is named by a URL.
pub fn snapshot_files(snapshot: &Path) -> Result<Option<Arc<dyn app::SnapshotFiles>>, Failure> {
    let text = snapshot.to_string_lossy();
    if !text.contains("://") {
        return Ok(None);
    }
    Ok(Some(Arc::new(cluster::RemoteSnapshot::open(&text).map_err(Failure::input)?)))
}
