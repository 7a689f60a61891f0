//! `xiaokang cluster`, and `xiaokang assess` where a cluster works or an object store holds the snapshot: the program
//! `xiaokang-cluster`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use app::EngineError;
use app::assess::FindWorkers;
use app::packs::Loaded;
use clap::{Args, Parser, Subcommand};
use cluster::{Client, Compile, Job};
use model::{AsProblem as _, Text};
use xiaokang::allocator::{self, AT_ONCE, FOR_EVER, Keep};
use xiaokang::arguments::{AssessOptions, LangArgument, SizeArgument};
use xiaokang::assess::{Elsewhere, run_with};
use xiaokang::console::{Failure, Outcome, ended, pack_cache};

/// As in the program of the office: executors make and drop columns of megabytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a part of a cluster that works on runs together.
#[derive(Parser)]
#[command(name = "xiaokang cluster", bin_name = "xiaokang cluster", version)]
struct Arguments {
    /// Language of what is printed: zh or en.
    #[arg(long, global = true, default_value = "zh")]
    lang: LangArgument,
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Subcommand)]
enum ClusterCommand {
    /// Hand out the groups of runs to executors.
    Scheduler(SchedulerOptions),
    /// Work on groups of runs for a scheduler.
    Executor(ExecutorOptions),
    /// Write a new random secret to FILE, for all parts of a cluster and its clients.
    Secret {
        /// A file that is not there yet.
        file: PathBuf,
    },
    /// Run a pack as `xiaokang assess` does, by a cluster or over an object store.
    #[command(hide = true)]
    Assess(AssessOptions),
}

#[derive(Args)]
struct SchedulerOptions {
    /// Address to listen on; one that other machines reach needs a secret.
    #[arg(long, default_value = "127.0.0.1:50050")]
    listen: std::net::SocketAddr,
    /// File with the secret of the cluster: connections are TLS, and only holders of the same secret are heard.
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// Seconds without a sign of life after which an executor counts as lost.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..))]
    executor_timeout: u64,
}

#[derive(Args)]
struct ExecutorOptions {
    /// The scheduler.
    #[arg(long, default_value = "http://127.0.0.1:50050")]
    scheduler: String,
    /// File with the secret of the cluster.
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// Address of this machine, at which clients reach it; one that other machines reach needs a secret.
    #[arg(long, default_value = "127.0.0.1")]
    host: std::net::IpAddr,
    /// Port for what tasks hand over.
    #[arg(long, default_value_t = 50051)]
    port: u16,
    /// Threads to use; all cores if absent.
    #[arg(long)]
    threads: Option<usize>,
    /// Memory that a run may take here: `2GiB`; no limit if absent.
    #[arg(long, value_name = "SIZE")]
    memory: Option<SizeArgument>,
    /// Folder for what tasks hand over; a temporary one if absent.
    #[arg(long)]
    work_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lang = arguments.lang.0;
    allocator::keep_pages(match &arguments.command {
        ClusterCommand::Assess(options) => allocator::of_run(options),
        ClusterCommand::Executor(options) if options.memory.is_some() => {
            Keep { milliseconds: AT_ONCE, huge: "0" }
        }
        _ => Keep { milliseconds: FOR_EVER, huge: "0" },
    });
    ended(
        match &arguments.command {
            ClusterCommand::Scheduler(options) => scheduler(options).map(|()| Outcome::Done),
            ClusterCommand::Executor(options) => executor(options).map(|()| Outcome::Done),
            ClusterCommand::Secret { file } => {
                cluster::Secret::create(file).map(|()| Outcome::Done).map_err(Failure::from)
            }
            ClusterCommand::Assess(options) => {
                elsewhere(options).and_then(|elsewhere| run_with(options, elsewhere, lang))
            }
        },
        lang,
    )
}

/// What of the run is not here.
fn elsewhere(options: &AssessOptions) -> Result<Elsewhere, Failure> {
    Ok(Elsewhere {
        workers: match options.cluster.as_deref() {
            Some(scheduler) => {
                let secret = secret(options.cluster_secret.as_deref())?;
                Some(workers(scheduler, options.staging.as_deref(), secret))
            }
            None => None,
        },
        snapshot_files: match &options.snapshot {
            Some(snapshot) => snapshot_files(snapshot)?,
            None => None,
        },
    })
}

fn scheduler(options: &SchedulerOptions) -> Result<(), Failure> {
    cluster::scheduler(&cluster::SchedulerOptions {
        listen: options.listen,
        executor_timeout_seconds: options.executor_timeout,
        secret: secret(options.secret.as_deref())?,
    })
    .map_err(Failure::from)
}

fn executor(options: &ExecutorOptions) -> Result<(), Failure> {
    let address =
        options.scheduler.strip_prefix("http://").unwrap_or(&options.scheduler).trim_end_matches('/');
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    let scheduler = parts.ok_or_else(|| {
        let problem = cluster::ClusterError::Url { url: options.scheduler.clone() }.problem();
        let hint = Text::new(
            "请写 `xiaokang cluster scheduler` 监听的地址",
            "say where `xiaokang cluster scheduler` listens",
        );
        Failure::Problem(Box::new(problem.hint(hint)))
    })?;
    let cache = pack_cache();
    let compile: Compile = Arc::new(move |text| {
        let pack =
            Loaded::of_text(text, Path::new("pack.json"), &cache).map_err(|error| error.to_string())?;
        Ok(pack.program)
    });
    cluster::executor(cluster::ExecutorOptions {
        scheduler,
        host: options.host,
        port: options.port,
        threads: options
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        memory: options.memory.map(|size| size.0),
        work_dir: options.work_dir.as_ref().map(|folder| folder.display().to_string()),
        compile,
        secret: secret(options.secret.as_deref())?,
    })
    .map_err(Failure::from)
}

/// The secret of the cluster, where one was named.
fn secret(file: Option<&Path>) -> Result<Option<cluster::Secret>, Failure> {
    file.map(cluster::Secret::read).transpose().map_err(Failure::from)
}

/// Has a run worked on by the executors of a scheduler.
fn workers(scheduler: &str, staging: Option<&str>, secret: Option<cluster::Secret>) -> FindWorkers {
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
                let reason = Text::new(
                    "请用 `--staging` 指明集群把结果暂存在哪里",
                    "say with `--staging` where the cluster leaves what it computes",
                );
                return Err(EngineError::Cluster(Box::new(reason)));
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
        let client =
            Client::new(&scheduler, job, pack.text(), Arc::new(pack.program.clone()), secret.clone())?;
        Ok(Arc::new(client))
    })
}

/// The files of a snapshot that is named by a URL.
fn snapshot_files(snapshot: &Path) -> Result<Option<Arc<dyn app::SnapshotFiles>>, Failure> {
    let text = snapshot.to_string_lossy();
    if !text.contains("://") {
        return Ok(None);
    }
    Ok(Some(Arc::new(cluster::RemoteSnapshot::open(&text)?)))
}
