//! Starting a scheduler and executors: Ballista's, with the codec that knows our operator.

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;

use crate::ClusterError;
use crate::plan::Codec;
use crate::worker::{Compile, Workers};

/// Seconds between two signs of life of an executor.
const HEARTBEAT_SECONDS: u64 = 3;

/// How a scheduler is reached.
pub struct SchedulerOptions {
    /// Address that it listens on.
    pub listen: SocketAddr,
    /// Seconds without a sign of life after which an executor counts as lost and its groups go to others.
    pub executor_timeout_seconds: u64,
}

/// Runs a scheduler until the process ends.
///
/// # Errors
/// [`ClusterError::Start`].
pub fn scheduler(options: &SchedulerOptions) -> Result<(), ClusterError> {
    let failed = |reason: String| ClusterError::Start { what: "the scheduler", reason };
    let config = Arc::new(SchedulerConfig {
        bind_host: options.listen.ip().to_string(),
        bind_port: options.listen.port(),
        external_host: options.listen.ip().to_string(),
        executor_timeout_seconds: options.executor_timeout_seconds,
        no_executors_grace_period_seconds: options.executor_timeout_seconds.max(HEARTBEAT_SECONDS * 2),
        expire_dead_executor_interval_seconds: 1,
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..SchedulerConfig::default()
    });
    runtime(failed)?.block_on(async {
        let cluster =
            BallistaCluster::new_from_config(&config).await.map_err(|error| failed(error.to_string()))?;
        start_server(cluster, options.listen, config).await.map_err(|error| failed(error.to_string()))
    })
}

/// What an executor is and whom it works for.
pub struct ExecutorOptions {
    /// Host and port of the scheduler.
    pub scheduler: (String, u16),
    /// Address that it listens on, for results and for tasks.
    pub host: String,
    pub port: u16,
    pub task_port: u16,
    pub threads: usize,
    /// Bytes that a job may take on this machine.
    pub memory: Option<usize>,
    /// Folder for what tasks hand over; a temporary one if absent.
    pub work_dir: Option<String>,
    pub compile: Compile,
}

/// Runs an executor until the process is told to end.
///
/// # Errors
/// [`ClusterError::Start`].
pub fn executor(options: ExecutorOptions) -> Result<(), ClusterError> {
    let failed = |reason: String| ClusterError::Start { what: "the executor", reason };
    let workers = Workers::new(options.compile, options.threads, options.memory);
    let config = ExecutorProcessConfig {
        bind_host: options.host.clone(),
        external_host: Some(options.host),
        port: options.port,
        grpc_port: options.task_port,
        scheduler_host: options.scheduler.0,
        scheduler_port: options.scheduler.1,
        scheduler_connect_timeout_seconds: 30,
        vcores: options.threads,
        executor_heartbeat_interval_seconds: HEARTBEAT_SECONDS,
        work_dir: options.work_dir,
        job_data_ttl_seconds: 3600,
        job_data_clean_up_interval_seconds: 600,
        override_physical_codec: Some(Arc::new(Codec::of_executor(workers))),
        ..ExecutorProcessConfig::default()
    };
    runtime(failed)?
        .block_on(start_executor_process(Arc::new(config)))
        .map_err(|error| failed(error.to_string()))
}

fn runtime(failed: impl Fn(String) -> ClusterError) -> Result<tokio::runtime::Runtime, ClusterError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| failed(error.to_string()))
}
