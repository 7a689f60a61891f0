//! Runs over many machines: groups of parts are worked on by executors of a Ballista cluster.
//!
//! A run is a Ballista job of one stage with a partition for every group. The plan is a list of group numbers below
//! [`plan::GroupsExec`], which asks the executor's own [`worker`] for each and stores what comes back in the shared
//! staging area. The client waits for the job, takes the groups over in order, and writes the one manifest that
//! makes a run; without it nothing is there. Groups that are staged are not computed again, so a job that loses its
//! executors goes on where it was.
//!
//! Deliberately lacking: rules, pack files (executors get the pack's text with the job and a function that compiles
//! it), and any choice of how a group is computed: that is `engine::serve`, the same as in one process.

mod client;
mod door;
mod error;
mod job;
mod plan;
mod secret;
mod serve;
mod storage;
mod worker;

pub use client::Client;
pub use error::ClusterError;
pub use job::Job;
pub use secret::Secret;
pub use serve::{ExecutorOptions, SchedulerOptions, executor, scheduler};
pub use storage::RemoteSnapshot;
pub use worker::Compile;
