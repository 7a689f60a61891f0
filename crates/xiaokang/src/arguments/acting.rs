//! Arguments of commands that act: who, when, where, and what.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use model::ledger::{DocumentNumber, Purpose};
use model::payment::{BatchId, LineId};
use model::{DivisionCode, Fen, MoneyUnit, RecordKey};

use super::date::DateArgument;

/// Where and by which pack.
#[derive(Args, Clone)]
pub struct Site {
    /// Folder of the registry; the one that XIAOKANG_REGISTRY names if absent.
    #[arg(long)]
    pub registry: Option<PathBuf>,
    /// Folder of the pack.
    #[arg(long, default_value = "packs/sichuan-2015")]
    pub pack: PathBuf,
}

/// Who acts and when.
#[derive(Args, Clone)]
pub struct Actor {
    /// Who acts: the role, and after a colon the person (or the key of the household or person who acts for
    /// themselves), such as `township:li` or `household:51333610020400025`.
    #[arg(long = "as", value_name = "ROLE[:NAME]")]
    pub role: RoleArgument,
    /// The day on which it counts, for demonstrations and tests; today if absent. It is recorded beside the time of
    /// recording, which nothing overrides.
    #[arg(long, value_name = "DATE")]
    pub on: Option<DateArgument>,
}

/// A role and the person in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleArgument {
    pub role: String,
    pub name: String,
}

impl FromStr for RoleArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, name) = text.split_once(':').unwrap_or((text, text));
        if role.trim().is_empty() || name.trim().is_empty() {
            return Err("write it as ROLE or ROLE:NAME".to_owned());
        }
        Ok(Self { role: role.to_owned(), name: name.to_owned() })
    }
}

/// An amount in yuan, exact to the fen.
#[derive(Clone, Copy, Debug)]
pub struct Yuan(pub Fen);

impl FromStr for Yuan {
    type Err = model::NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Fen::parse_in(text, MoneyUnit::Yuan).map(Self)
    }
}

/// A division by its code.
#[derive(Clone, Copy, Debug)]
pub struct Division(pub DivisionCode);

impl FromStr for Division {
    type Err = model::DivisionCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[derive(Subcommand)]
pub enum CaseCommand {
    /// Start a case of a procedure.
    Start(CaseStart),
    /// List the cases and where they stand.
    List(CaseList),
    /// Show a case: where it stands, what it waits for, what happened.
    Show(CaseShow),
    /// Act on a case.
    Do(CaseDo),
}

#[derive(Args)]
pub struct CaseStart {
    /// The procedure, as the pack calls it.
    pub flow: String,
    /// The record that a sheet of many belongs to, such as a village's code. Without items, all below it to whom the
    /// benefit is promised today.
    #[arg(long)]
    pub sheet: Option<String>,
    /// A record that the case is about; may be repeated.
    #[arg(long = "item")]
    pub items: Vec<String>,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct CaseList {
    #[command(flatten)]
    pub site: Site,
}

#[derive(Args)]
pub struct CaseShow {
    /// The number of the case.
    pub case: RecordKey,
    #[command(flatten)]
    pub site: Site,
    /// The day whose facts are shown; today if absent.
    #[arg(long, value_name = "DATE")]
    pub on: Option<DateArgument>,
    /// Facts that are not recorded, to see what would be so with them, as JSON: `{"household": {"KEY": {"wages": 9000}}}`.
    #[arg(long, value_name = "JSON")]
    pub with: Option<String>,
}

#[derive(Args)]
pub struct CaseDo {
    /// The number of the case.
    pub case: RecordKey,
    /// Which part of the case, if several are open.
    #[arg(long)]
    pub strand: Option<u32>,
    /// The step at which the case was seen: refused if it has moved on meanwhile.
    #[arg(long)]
    pub step: Option<String>,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
    #[command(subcommand)]
    pub act: ActCommand,
}

#[derive(Subcommand)]
pub enum ActCommand {
    /// Attach a document to the step, by its digest.
    Attach {
        /// The kind of evidence that the step asks for.
        kind: String,
        /// The document.
        file: PathBuf,
    },
    /// Say that the actor has investigated.
    Investigate,
    /// Draw the records that have to be visited.
    Draw,
    /// Say that records were visited.
    Visit {
        /// Keys of the records.
        items: Vec<RecordKey>,
    },
    /// Enter the minutes of a vote.
    Vote(VoteOptions),
    /// Post the notice at a place.
    Post {
        /// The place, as the procedure calls it.
        place: String,
    },
    /// Object to a notice, or to one record of it.
    Object {
        /// The record that is objected to; all of them if absent.
        #[arg(long)]
        item: Option<RecordKey>,
        /// What the objection rests on.
        #[arg(long)]
        grounds: String,
    },
    /// Answer an objection.
    Answer {
        /// The number of the objection.
        objection: u32,
        /// Whether it is right.
        verdict: Verdict,
        /// Why.
        #[arg(long)]
        reasons: String,
    },
    /// Complete the step.
    Complete {
        /// The outcome, where the step has several.
        #[arg(long)]
        choice: Option<String>,
    },
    /// Refuse records, or all of the part.
    Refuse {
        /// A record; may be repeated. All of the part if absent.
        #[arg(long = "item")]
        items: Vec<RecordKey>,
        /// Why.
        #[arg(long)]
        reasons: String,
    },
    /// Deliver the written refusal.
    Deliver {
        /// The letter.
        letter: PathBuf,
    },
    /// Return it to an earlier step.
    Return {
        /// The step.
        to: String,
        /// Why.
        #[arg(long)]
        reasons: String,
    },
    /// Declare the proposal void where facts have changed.
    Void,
    /// Withdraw records, or all of the part.
    Withdraw {
        /// A record; may be repeated. All of the part if absent.
        #[arg(long = "item")]
        items: Vec<RecordKey>,
    },
    /// Appeal against a refusal.
    Appeal {
        /// What the appeal rests on.
        #[arg(long)]
        grounds: String,
    },
    /// Extend the time limit of the step.
    Extend {
        /// Why.
        #[arg(long)]
        reasons: String,
    },
    /// Set records apart, so that the others can go on.
    Apart {
        /// Keys of the records.
        #[arg(required = true)]
        items: Vec<RecordKey>,
    },
    /// Let time do what it does by itself: lapse, and mark as overdue.
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    Upheld,
    Dismissed,
}

#[derive(Args)]
pub struct VoteOptions {
    /// How many are entitled to vote.
    #[arg(long)]
    pub entitled: u32,
    /// How many are present.
    #[arg(long)]
    pub present: u32,
    /// Whether the ballot was secret.
    #[arg(long)]
    pub secret: bool,
    /// Votes for and against every record that has none of its own: `20/3`.
    #[arg(long, value_name = "FOR/AGAINST")]
    pub all: Option<BallotArgument>,
    /// Votes about one record: `51333610020400025=20/3`; may be repeated.
    #[arg(long = "ballot", value_name = "ITEM=FOR/AGAINST")]
    pub ballots: Vec<ItemBallot>,
}

#[derive(Clone, Copy, Debug)]
pub struct BallotArgument {
    pub in_favour: u32,
    pub against: u32,
}

impl FromStr for BallotArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let counts = text.split_once('/').and_then(|(for_it, against)| {
            Some(Self { in_favour: for_it.parse().ok()?, against: against.parse().ok()? })
        });
        counts.ok_or_else(|| "write the votes for and against as `20/3`".to_owned())
    }
}

#[derive(Clone, Debug)]
pub struct ItemBallot {
    pub item: RecordKey,
    pub ballot: BallotArgument,
}

impl FromStr for ItemBallot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (item, ballot) = text.rsplit_once('=').ok_or("write it as `ITEM=20/3`")?;
        let item = RecordKey::new(item).map_err(|error| error.to_string())?;
        Ok(Self { item, ballot: ballot.parse()? })
    }
}

#[derive(Subcommand)]
pub enum FundCommand {
    /// Register a document that grants money.
    Issue(FundIssue),
    /// Pass money down.
    Allot(FundAllot),
    /// Say where money came from and what became of it.
    Trace(FundTrace),
}

#[derive(Args)]
pub struct FundIssue {
    /// The number printed on the document.
    pub document: DocumentNumber,
    /// The fund of the pack.
    #[arg(long)]
    pub fund: String,
    /// The document's title.
    #[arg(long)]
    pub title: String,
    /// The division that grants it.
    #[arg(long)]
    pub issuer: Division,
    /// What it grants for a purpose, in yuan: `minimum-living=500000`; may be repeated.
    #[arg(long = "grant", value_name = "PURPOSE=YUAN", required = true)]
    pub grants: Vec<Grant>,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Clone, Debug)]
pub struct Grant {
    pub purpose: Purpose,
    pub fen: Fen,
}

impl FromStr for Grant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (purpose, yuan) = text.split_once('=').ok_or("write it as `PURPOSE=YUAN`")?;
        let purpose = purpose.parse().map_err(|error: model::ledger::KeyError| error.to_string())?;
        let Yuan(fen) = yuan.parse().map_err(|error: model::NumberError| error.to_string())?;
        Ok(Self { purpose, fen })
    }
}

#[derive(Args)]
pub struct FundAllot {
    /// The number printed on the document.
    pub document: DocumentNumber,
    /// The purpose for which it was granted.
    #[arg(long)]
    pub purpose: Purpose,
    /// The division that passes it down.
    #[arg(long)]
    pub from: Division,
    /// The division that gets it.
    #[arg(long)]
    pub to: Division,
    /// In yuan.
    #[arg(long, value_name = "YUAN")]
    pub amount: Yuan,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct FundTrace {
    /// What was paid to this household, back to the document.
    #[arg(long, required_unless_present = "document", conflicts_with = "document")]
    pub household: Option<RecordKey>,
    /// What became of the money of this document.
    #[arg(long)]
    pub document: Option<DocumentNumber>,
    #[command(flatten)]
    pub site: Site,
}

#[derive(Subcommand)]
pub enum PayCommand {
    /// Plan the payment of what was approved, or pay again what was returned and corrected.
    Plan(PayPlan),
    /// Write the file for the bank.
    File(PayFile),
    /// Record that the bank took the file.
    Acknowledge(PayAcknowledge),
    /// Apply the bank's return file.
    Return(PayReturn),
    /// Put the account of a returned line right.
    Correct(PayCorrect),
    /// Record that every line is explained and the bank's statement agrees.
    Reconcile(PayReconcile),
    /// List the batches, or show one.
    Show(PayShow),
}

#[derive(Args)]
pub struct PayPlan {
    /// The county whose approvals are to be paid.
    #[arg(long, required_unless_present = "again", conflicts_with = "again")]
    pub county: Option<Division>,
    /// The purpose that is paid for.
    #[arg(long, default_value = "minimum-living")]
    pub purpose: Purpose,
    /// The layout of the bank's files, as the pack calls it.
    #[arg(long, default_value = "rural-credit")]
    pub layout: String,
    /// Pay again what was returned in this batch and corrected.
    #[arg(long, value_name = "BATCH")]
    pub again: Option<BatchId>,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct PayFile {
    /// The number of the batch.
    pub batch: BatchId,
    /// The file to write.
    #[arg(long)]
    pub out: PathBuf,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct PayAcknowledge {
    /// The number of the batch.
    pub batch: BatchId,
    /// The number of payments that the bank took.
    #[arg(long)]
    pub count: u32,
    /// Their sum, in yuan.
    #[arg(long, value_name = "YUAN")]
    pub sum: Yuan,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct PayReturn {
    /// The number of the batch.
    pub batch: BatchId,
    /// The bank's return file.
    pub file: PathBuf,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct PayCorrect {
    /// The number of the batch.
    pub batch: BatchId,
    /// The number of the line.
    pub line: LineId,
    /// The account that was verified with the household.
    #[arg(long)]
    pub account: String,
    /// Why it is right.
    #[arg(long)]
    pub reasons: String,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct PayReconcile {
    /// The number of the batch.
    pub batch: BatchId,
    /// What the bank's statement says was taken from the account, in yuan.
    #[arg(long, value_name = "YUAN")]
    pub delivered: Yuan,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct PayShow {
    /// The number of the batch; all of them if absent.
    pub batch: Option<BatchId>,
    #[command(flatten)]
    pub site: Site,
}

#[derive(Subcommand)]
pub enum LogCommand {
    /// Publish what is new to the log's folder.
    Publish(LogPublish),
    /// Write the receipts of a household.
    Receipt(LogReceipt),
    /// Print the public key that the log is checked with.
    Key(LogKey),
    /// Check a whole log with its public key.
    Check(LogCheck),
}

#[derive(Args)]
pub struct LogPublish {
    /// Folder of the log, to be served as it is.
    #[arg(long)]
    pub log: PathBuf,
    #[command(flatten)]
    pub site: Site,
    #[command(flatten)]
    pub actor: Actor,
}

#[derive(Args)]
pub struct LogReceipt {
    /// Whom the receipts are for.
    pub about: RecordKey,
    /// Folder of the log.
    #[arg(long)]
    pub log: PathBuf,
    /// Folder in which the receipts are written.
    #[arg(long)]
    pub out: PathBuf,
    #[command(flatten)]
    pub site: Site,
}

#[derive(Args)]
pub struct LogKey {
    #[command(flatten)]
    pub site: Site,
}

#[derive(Args)]
pub struct LogCheck {
    /// Folder of the log.
    pub log: PathBuf,
    /// The public key, or a file that holds it.
    #[arg(long)]
    pub key: String,
}

#[derive(Args)]
pub struct VerifyOptions {
    /// The receipt.
    pub receipt: PathBuf,
    /// The log's public key, or a file that holds it.
    #[arg(long)]
    pub key: String,
    /// Folder of the published log, to check that it still has the leaf.
    #[arg(long)]
    pub log: Option<PathBuf>,
}
