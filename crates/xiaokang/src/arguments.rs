//! What can be said on the command line.

pub mod acting;
mod date;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Lang, Text};
use pack::Override;

pub use date::DateArgument;

/// Runs a poverty-alleviation decision: import, assess, explain, report.
#[derive(Parser)]
#[command(name = "xiaokang", version, propagate_version = true)]
pub struct Arguments {
    /// Language of what is printed: zh or en.
    #[arg(long, global = true, default_value = "zh")]
    pub lang: LangArgument,
    #[command(subcommand)]
    pub command: Command,
}

/// A language by its tag.
#[derive(Clone, Copy)]
pub struct LangArgument(pub Lang);

impl FromStr for LangArgument {
    type Err = model::UnknownLang;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Import the sample county, assess it, print a summary and one explanation.
    Demo(DemoOptions),
    /// Read workbooks (xlsx, xls, ods, csv, parquet) into a registry.
    Import(ImportOptions),
    /// Bring a registry of an earlier format to the present one.
    Migrate(MigrateOptions),
    /// Run a pack over a registry.
    Assess(AssessOptions),
    /// Compute results from facts given as JSON lines, without a registry.
    Calculate(CalculateOptions),
    /// Say why a record has its result, clause by clause.
    Explain(ExplainOptions),
    /// Say what changes in a run when records change, without another run.
    Reassess(ReassessOptions),
    /// Say what would follow from a change before it is recorded: what an import would find, and other results.
    CheckChange(CheckChangeOptions),
    /// Write a run as a workbook: figures by article, lists of who gets what.
    Report(ReportOptions),
    /// Query a run and its registry with SQL (the program `xiaokang-sql`).
    #[command(disable_help_flag = true)]
    Sql(CompanionArguments),
    /// Make believable records for every entity of a pack.
    Synth(SynthOptions),
    /// Run a part of a cluster that works on runs together (the program `xiaokang-cluster`).
    #[command(disable_help_flag = true)]
    Cluster(CompanionArguments),
    /// Cases of procedures: start, act, list, show.
    #[command(subcommand)]
    Case(acting::CaseCommand),
    /// Public money on its way down, and where a fen came from.
    #[command(subcommand)]
    Fund(acting::FundCommand),
    /// Payments through a bank, from the plan to the reconciliation.
    #[command(subcommand)]
    Pay(acting::PayCommand),
    /// The public log of decisions, notices and postings.
    #[command(subcommand)]
    Log(acting::LogCommand),
    /// Check a receipt with the log's public key: who is no part of the office can.
    Verify(acting::VerifyOptions),
    /// Serve the office's pages: the Decision with its figures, lists, records, reasons, cases.
    Serve(ServeOptions),
    /// Make somebody an account for the pages, or give them a new password.
    Account(AccountOptions),
    /// Check, test and print packs.
    #[command(subcommand)]
    Pack(PackCommand),
}

#[derive(Args)]
pub struct DemoOptions {
    /// Folder for the registry and the run; a temporary one if absent.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Folder with the pack and its sample data.
    #[arg(long, default_value = "packs/sichuan-2015")]
    pub pack: PathBuf,
    /// End after the story instead of serving the pages.
    #[arg(long)]
    pub once: bool,
    /// Address at which the pages are served.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
}

#[derive(Args)]
pub struct AccountOptions {
    /// Name to sign in with: letters, digits, `-`, `.` and `_`.
    pub name: String,
    #[command(flatten)]
    pub site: acting::Site,
    /// A role and the division where it is held, with all below: `county:513336`. May be repeated.
    #[arg(long = "grant", value_name = "ROLE:DIVISION", required = true)]
    pub grants: Vec<acting::RoleArgument>,
    /// What pages call them; their roles if absent.
    #[arg(long, default_value = "")]
    pub title: String,
    /// Read the password from standard input instead of making one.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Args)]
pub struct ServeOptions {
    /// Folder of the registry.
    #[arg(long)]
    pub registry: PathBuf,
    /// Folder of the run whose figures are shown; the registry's newest if absent.
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// Address at which the pages are served. What is not this machine's own needs a proxy that encrypts.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// Browsers send their cookies over encrypted connections alone: a proxy in front encrypts.
    #[arg(long)]
    pub https: bool,
}

#[derive(Args)]
pub struct ImportOptions {
    /// Folder of the registry; made if it is not there.
    #[arg(long)]
    pub registry: PathBuf,
    /// Folder of the pack.
    #[arg(long)]
    pub pack: PathBuf,
    /// Workbooks, csv or parquet files, in any order.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Write the workbooks back with the faults marked in their cells.
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// Read and check, but store nothing.
    #[arg(long)]
    pub preview: bool,
    /// Let empty cells erase recorded values, which are kept otherwise.
    #[arg(long)]
    pub allow_erase: bool,
    /// Day for which ages and parameters are taken in checks; the pack's own date if absent.
    #[arg(long)]
    pub as_of: Option<DateArgument>,
    /// Who imports, for the registry's history.
    #[arg(long, default_value = "cli")]
    pub actor: String,
    /// Print the outcome as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct MigrateOptions {
    /// Folder of the registry. Keep a copy of it: an earlier program cannot open it afterwards.
    #[arg(long)]
    pub registry: PathBuf,
}

#[derive(Args)]
pub struct AssessOptions {
    /// Folder of the registry.
    #[arg(long, required_unless_present = "snapshot")]
    pub registry: Option<PathBuf>,
    /// Folder of a snapshot, instead of a registry; or where it is in an object store, `s3://bucket/prefix`
    /// (credentials and endpoint as AWS_ACCESS_KEY_ID, AWS_ENDPOINT and the like say).
    #[arg(long, conflicts_with = "registry")]
    pub snapshot: Option<PathBuf>,
    /// Folder of the pack.
    #[arg(long)]
    pub pack: PathBuf,
    /// Day on which the pack is applied.
    #[arg(long)]
    pub as_of: DateArgument,
    /// Folder of the run; below the registry, or beside the snapshot, if absent.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Compute everything, print the totals, and write no run.
    #[arg(long, conflicts_with = "out")]
    pub totals_only: bool,
    /// An earlier run whose results count as facts, where the pack asks for them.
    #[arg(long, value_name = "RUN")]
    pub previous: Option<PathBuf>,
    /// Set a parameter for this run: `poverty_line=3000`, `deductible.level1=200`.
    #[arg(long = "set", value_name = "PARAM=VALUE")]
    pub set: Vec<SetArgument>,
    /// Packs laid over the pack, in order.
    #[arg(long)]
    pub overlay: Vec<PathBuf>,
    /// Threads to use; all cores if absent.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Memory that the run may take: `512MiB`, `2GiB`; no limit if absent.
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<SizeArgument>,
    /// Scheduler of a cluster that works on the run, such as `http://10.0.0.1:50050`. Snapshot and staging area
    /// must be where all its machines see them.
    #[arg(long, value_name = "URL")]
    pub cluster: Option<String>,
    /// File with the secret of the cluster, as its scheduler and executors have it.
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub cluster_secret: Option<PathBuf>,
    /// Where the cluster leaves results until the run is whole: a shared folder or `s3://bucket/prefix`; beside
    /// the run if absent.
    #[arg(long, value_name = "PLACE", requires = "cluster")]
    pub staging: Option<String>,
    /// Print what each stage took: time over all threads, rows, bytes.
    #[arg(long)]
    pub timings: bool,
    /// Print the totals as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct CalculateOptions {
    /// Folder of the pack.
    #[arg(long)]
    pub pack: PathBuf,
    /// Packs laid over the pack, in order.
    #[arg(long)]
    pub overlay: Vec<PathBuf>,
    /// Set a parameter: `poverty_line=3000`.
    #[arg(long = "set", value_name = "PARAM=VALUE")]
    pub set: Vec<SetArgument>,
    /// Day on which the pack is applied.
    #[arg(long)]
    pub as_of: DateArgument,
    /// Rules or results to give; all of them if absent.
    #[arg(long)]
    pub only: Vec<String>,
    /// Say of every unknown result what it lacks.
    #[arg(long)]
    pub reasons: bool,
    /// File with a JSON object a line; standard input if absent.
    pub file: Option<PathBuf>,
}

/// How an argument is written that was written otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form(pub Text);

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.en)
    }
}

impl std::error::Error for Form {}

/// A number of bytes: `512MiB`.
#[derive(Clone, Copy)]
pub struct SizeArgument(pub usize);

impl FromStr for SizeArgument {
    type Err = Form;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor: usize = match unit.trim() {
            "" | "B" => 1,
            "KiB" | "K" => 1 << 10,
            "MiB" | "M" => 1 << 20,
            "GiB" | "G" => 1 << 30,
            _ => return Err(size_form()),
        };
        let size = number.parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
        size.map(Self).ok_or_else(size_form)
    }
}

fn size_form() -> Form {
    Form(Text::new("大小请写成 `512MiB` 或 `2GiB`", "write a size as `512MiB` or `2GiB`"))
}

/// `name=value`.
#[derive(Clone)]
pub struct SetArgument(pub Override);

impl FromStr for SetArgument {
    type Err = Form;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (parameter, value) = text
            .split_once('=')
            .ok_or_else(|| Form(Text::new("请写成 `参数=值`", "write it as `name=value`")))?;
        Ok(Self(Override { parameter: parameter.trim().to_owned(), value: value.trim().to_owned() }))
    }
}

#[derive(Args)]
pub struct SynthOptions {
    /// How many persons, or what else the pack's profile counts.
    #[arg(long)]
    pub persons: u64,
    /// The same seed gives the same records.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Folder to write to; a snapshot replaces what is there.
    #[arg(long)]
    pub out: PathBuf,
    /// Folder of the pack, whose profile is in `synth/`.
    #[arg(long, default_value = "packs/sichuan-2015")]
    pub pack: PathBuf,
    /// What to write: what `assess` reads, or sheets that `import` reads.
    #[arg(long, value_enum, default_value_t = SynthFormat::Snapshot)]
    pub format: SynthFormat,
    /// How often the divisions are repeated, each time with codes of their own.
    #[arg(long, default_value_t = 1)]
    pub provinces: usize,
    /// Threads to use; all cores if absent. They change nothing in what is written.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Print rows, seconds and bytes as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SynthFormat {
    Snapshot,
    Csv,
    Xlsx,
}

#[derive(Args)]
pub struct ReassessOptions {
    /// Folder of the run; nothing in it is changed.
    #[arg(long)]
    pub run: PathBuf,
    /// Folder of the run's snapshot, if it is no longer where the run was made.
    #[arg(long, value_name = "FOLDER")]
    pub snapshot: Option<PathBuf>,
    /// Folder of the registry: what it has recorded since the snapshot of the run.
    #[arg(long, required_unless_present = "changes")]
    pub registry: Option<PathBuf>,
    /// Changes as JSON lines, `-` for standard input: `{"household": {"KEY": {"wages": 12000}}, "person":
    /// {"KEY": null}}`. Fields with their values now, `null` for a record that is gone; a key that the run does not
    /// know is a new record. Each line is applied on top of those before.
    #[arg(long, conflicts_with = "registry")]
    pub changes: Option<PathBuf>,
    /// Print one JSON object for each set of changes.
    #[arg(long)]
    pub json: bool,
    /// Print what each set of changes took, to standard error.
    #[arg(long)]
    pub timings: bool,
}

#[derive(Args)]
pub struct CheckChangeOptions {
    /// Folder of the run; nothing in it is changed.
    #[arg(long)]
    pub run: PathBuf,
    /// Folder of the run's snapshot, if it is no longer where the run was made.
    #[arg(long, value_name = "FOLDER")]
    pub snapshot: Option<PathBuf>,
    /// Folder of the registry, so that what it has recorded since the run counts, too.
    #[arg(long)]
    pub registry: Option<PathBuf>,
    /// The change: `{"household": {"KEY": {"wages": 12000}}, "person": {"KEY": null}}`. Fields with their values, `null`
    /// for a record that goes; a key that is not known is a new record. Given again, each is checked on top of those
    /// before; `-` reads them from standard input, one a line.
    #[arg(required = true, value_name = "CHANGE")]
    pub changes: Vec<String>,
    /// Print one JSON object for each change.
    #[arg(long)]
    pub json: bool,
    /// Print what each change took to check, to standard error.
    #[arg(long)]
    pub timings: bool,
}

#[derive(Args)]
pub struct ExplainOptions {
    /// Folder of the run.
    #[arg(long)]
    pub run: PathBuf,
    /// Folder of the run's snapshot, if it is no longer where the run was made.
    #[arg(long, value_name = "FOLDER")]
    pub snapshot: Option<PathBuf>,
    /// Folder of the pack; the one the run was made with if absent.
    #[arg(long)]
    pub pack: Option<PathBuf>,
    /// Entity: household, person, village, …
    pub entity: String,
    /// Key of the record, as the office writes it.
    pub key: String,
    /// Benefit, standard, check or variable; everything promised if absent.
    pub rule: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ReportOptions {
    /// Folder of the run.
    #[arg(long)]
    pub run: PathBuf,
    /// Folder of the run's snapshot, if it is no longer where the run was made.
    #[arg(long, value_name = "FOLDER")]
    pub snapshot: Option<PathBuf>,
    /// Folder of the pack; the one the run was made with if absent.
    #[arg(long)]
    pub pack: Option<PathBuf>,
    /// Workbook to write, `report.xlsx`; one that is there is replaced when the new one is whole.
    #[arg(long)]
    pub out: PathBuf,
    /// Personal data in full, for whoever may see it: who asked, when and why is written down beside the run first.
    #[arg(long, requires = "reason")]
    pub unmasked: bool,
    /// Why it is needed in full.
    #[arg(long)]
    pub reason: Option<String>,
    /// Who asks.
    #[arg(long, default_value = "office")]
    pub actor: String,
}

/// What goes on to a program that stands beside this one.
#[derive(Args)]
pub struct CompanionArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<std::ffi::OsString>,
}

#[derive(Subcommand)]
pub enum PackCommand {
    /// Compile a pack and print every mistake.
    Check(PackFolder),
    /// Run the worked cases.
    Test(PackTestOptions),
    /// List clauses without an implementation and rules without a clause or case.
    Coverage(PackCoverageOptions),
    /// Write the data dictionary and rule reference.
    Docs(PackDocsOptions),
    /// Write import workbooks to be filled in, in both languages.
    Forms(PackDocsOptions),
    /// Print the pack as one SQL script.
    Compile(PackCompileOptions),
    /// Change one number or operator at a time and list the changes that no worked case notices.
    Mutate(PackMutateOptions),
}

#[derive(Args)]
pub struct PackMutateOptions {
    #[command(flatten)]
    pub folder: PackFolder,
    /// Only files whose name starts so, such as `article-07`; may be repeated.
    #[arg(long)]
    pub only: Vec<String>,
    /// Try a random choice of this many changes.
    #[arg(long)]
    pub sample: Option<usize>,
    /// Seed of that choice.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Share that must be noticed, in percent; below it the command fails.
    #[arg(long, value_name = "PERCENT")]
    pub at_least: Option<u8>,
}

#[derive(Args)]
pub struct PackFolder {
    /// Folder of the pack.
    pub pack: PathBuf,
    /// Packs laid over it, in order.
    #[arg(long)]
    pub overlay: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct PackTestOptions {
    #[command(flatten)]
    pub folder: PackFolder,
    /// Which implementation runs the cases; the interpreter and the engine as it runs if absent.
    #[arg(long, value_enum)]
    pub engine: Option<CaseEngine>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaseEngine {
    /// Row by row, as explanations do.
    Interpreter,
    /// Along the order of the rows, as runs do.
    Aligned,
}

#[derive(Args)]
pub struct PackCoverageOptions {
    #[command(flatten)]
    pub folder: PackFolder,
    /// A run: for how many subjects each rule has a result in it.
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// Write a page to this file instead.
    #[arg(long)]
    pub html: Option<PathBuf>,
}

#[derive(Args)]
pub struct PackDocsOptions {
    #[command(flatten)]
    pub folder: PackFolder,
    /// Folder to write to.
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Args)]
pub struct PackCompileOptions {
    #[command(flatten)]
    pub folder: PackFolder,
    /// Whose SQL to print.
    #[arg(long, value_enum)]
    pub dialect: DialectArgument,
    /// Day for which parameters are filled in; the pack's own date if absent.
    #[arg(long)]
    pub as_of: Option<DateArgument>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DialectArgument {
    Datafusion,
    Postgres,
    Duckdb,
}
