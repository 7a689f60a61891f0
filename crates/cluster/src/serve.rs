//! Starting a scheduler and executors: Ballista's, with the codec that knows our operator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::http::StatusCode;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpcServer;
use ballista_core::utils::create_grpc_server;
use ballista_executor::ArrowFlightServerProvider;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::flight_service::BallistaFlightService;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service};
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};

use crate::door::Door;
use crate::plan::Codec;
use crate::worker::{Compile, Workers};
use crate::{ClusterError, Secret};

/// Executors ask for tasks, so that nobody has to reach into them but for what tasks hand over.
const POLICY: TaskSchedulingPolicy = TaskSchedulingPolicy::PullStaged;

/// How long an executor waits for its scheduler.
const SCHEDULER_WAIT: Duration = Duration::from_secs(30);

/// Seconds between two signs of life of an executor.
const HEARTBEAT_SECONDS: u64 = 3;

/// How a scheduler is reached.
pub struct SchedulerOptions {
    /// Address that it listens on.
    pub listen: SocketAddr,
    /// Seconds without a sign of life after which an executor counts as lost and its groups go to others.
    pub executor_timeout_seconds: u64,
    /// What executors and clients must show; without one only this machine can be listened on.
    pub secret: Option<Secret>,
}

/// Runs a scheduler until the process ends.
///
/// # Errors
/// [`ClusterError::Open`] for an address that others reach without a secret; [`ClusterError::Start`].
pub fn scheduler(options: &SchedulerOptions) -> Result<(), ClusterError> {
    let failed = |reason: String| ClusterError::Start { what: "the scheduler", reason };
    closed(options.listen.ip(), options.secret.as_ref())?;
    let config = Arc::new(SchedulerConfig {
        bind_host: options.listen.ip().to_string(),
        bind_port: options.listen.port(),
        external_host: options.listen.ip().to_string(),
        executor_timeout_seconds: options.executor_timeout_seconds,
        no_executors_grace_period_seconds: options.executor_timeout_seconds.max(HEARTBEAT_SECONDS * 2),
        expire_dead_executor_interval_seconds: 1,
        scheduling_policy: POLICY,
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..SchedulerConfig::default()
    });
    let served = runtime(failed)?.block_on(async {
        config.validate()?;
        let cluster = BallistaCluster::new_from_config(&config).await?;
        let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config).await?;
        match &options.secret {
            None => start_grpc_service(options.listen, scheduler).await,
            Some(secret) => scheduler_behind(secret, options.listen, scheduler).await,
        }
    });
    served.map_err(|error| failed(error.to_string()))
}

/// Serves a scheduler to those who hold the secret: its gRPC service, and whether executors are there.
async fn scheduler_behind(
    secret: &Secret,
    listen: SocketAddr,
    scheduler: SchedulerServer<LogicalPlanNode, PhysicalPlanNode>,
) -> Result<(), BallistaError> {
    let asked = scheduler.clone();
    let ready = move || async move {
        if asked.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    };
    let http = axum::Router::new().route("/readyz", axum::routing::get(ready));
    let routes = tonic::service::Routes::from(http).add_service(SchedulerGrpcServer::new(scheduler));
    let mut server = tonic::transport::Server::builder().accept_http1(true).tls_config(secret.server())?;
    Ok(server.add_routes(routes).serve(listen).await?)
}

/// Refuses to listen where others reach without asking them for the secret.
fn closed(address: std::net::IpAddr, secret: Option<&Secret>) -> Result<(), ClusterError> {
    if secret.is_some() || address.is_loopback() {
        return Ok(());
    }
    Err(ClusterError::Open { address })
}

/// What an executor is and whom it works for.
pub struct ExecutorOptions {
    /// Host and port of the scheduler.
    pub scheduler: (String, u16),
    /// Address and port that it listens on, for what tasks hand over.
    pub host: std::net::IpAddr,
    pub port: u16,
    pub threads: usize,
    /// Bytes that a job may take on this machine.
    pub memory: Option<usize>,
    /// Folder for what tasks hand over; a temporary one if absent.
    pub work_dir: Option<String>,
    pub compile: Compile,
    /// What the scheduler and clients must show and see; without one only this machine can be listened on.
    pub secret: Option<Secret>,
}

/// Runs an executor until the process is told to end.
///
/// # Errors
/// [`ClusterError::Open`] for an address that others reach without a secret; [`ClusterError::Start`].
pub fn executor(options: ExecutorOptions) -> Result<(), ClusterError> {
    let failed = |reason: String| ClusterError::Start { what: "the executor", reason };
    closed(options.host, options.secret.as_ref())?;
    let workers = Workers::new(options.compile, options.threads, options.memory);
    let runtime = runtime(failed)?;
    let scheduler = format!("http://{}:{}", options.scheduler.0, options.scheduler.1);
    runtime.block_on(heard(&scheduler, options.secret.as_ref())).map_err(failed)?;
    let secret = options.secret;
    let (flight, endpoint) = (secret.clone().map(flight_behind), secret.map(Secret::endpoints));
    let config = ExecutorProcessConfig {
        bind_host: options.host.to_string(),
        external_host: Some(options.host.to_string()),
        port: options.port,
        task_scheduling_policy: POLICY,
        scheduler_host: options.scheduler.0,
        scheduler_port: options.scheduler.1,
        scheduler_connect_timeout_seconds: 30,
        vcores: options.threads,
        executor_heartbeat_interval_seconds: HEARTBEAT_SECONDS,
        work_dir: options.work_dir,
        job_data_ttl_seconds: 3600,
        job_data_clean_up_interval_seconds: 600,
        override_physical_codec: Some(Arc::new(Codec::of_executor(workers))),
        override_arrow_flight_service: flight,
        override_create_grpc_client_endpoint: endpoint,
        ..ExecutorProcessConfig::default()
    };
    runtime.block_on(start_executor_process(Arc::new(config))).map_err(|error| failed(error.to_string()))
}

/// Waits until the scheduler answers: Ballista's executor would ask one that does not hear it for ever.
async fn heard(scheduler: &str, secret: Option<&Secret>) -> Result<(), String> {
    let since = Instant::now();
    let door = Door::of(scheduler, secret).await?;
    loop {
        match door.is_ready().await {
            Ok(_) => return Ok(()),
            Err(reason) if since.elapsed() > SCHEDULER_WAIT => return Err(reason),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Hands over what tasks leave to those who hold the secret.
fn flight_behind(secret: Secret) -> Arc<ArrowFlightServerProvider> {
    Arc::new(move |work_dir, address, mut shutdown, config| {
        let secret = secret.clone();
        tokio::spawn(async move {
            let mut server = create_grpc_server(&config).tls_config(secret.server())?;
            let service = FlightServiceServer::new(BallistaFlightService::new(work_dir));
            Ok(server.add_service(service).serve_with_shutdown(address, shutdown.recv()).await?)
        })
    })
}

fn runtime(failed: impl Fn(String) -> ClusterError) -> Result<tokio::runtime::Runtime, ClusterError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| failed(error.to_string()))
}
