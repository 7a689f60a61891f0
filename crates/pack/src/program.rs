//! The checked program: what the compiler hands to the engine, the importer and the pages.
//!
//! Every quantity is an integer. A number of type [`NumberType`] with `decimals = d` is stored as
//! its value times 10^d: money of 12.34 yuan is 1234 (fen), a rate of 0.0435 with four decimals is
//! 435. Expressions keep the scale explicit: [`ExprKind::Mul`] says how many decimals its product
//! drops, [`ExprKind::Div`] how many its numerator gains, so that no back end ever guesses.
//!
//! Cross-row work is decomposed: a column is a recorded field, a scalar over columns of its own
//! entity, a look-up along one edge, an aggregate along one edge, or a window among siblings.
//! `village.x` seen from a person is therefore two look-ups through a hidden household column.

use std::collections::BTreeMap;

pub use model::access::{DataClass, RoleKind};
use model::{ClauseId, Date, Text};
use serde::{Deserialize, Serialize};

/// Position of a piece of pack text: a file of the pack (by index in [`Program::files`]) and a
/// byte range in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Span {
    pub file: u32,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// No place in any file: what was given on the command line.
    pub const NONE: Self = Self { file: u32::MAX, start: 0, end: 0 };
}

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u32);
        impl $name {
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index_type!(/// Index into [`Program::entities`].
    EntityId);
index_type!(/// Index into [`Program::edges`].
    EdgeId);
index_type!(/// Index into [`Program::columns`].
    ColumnId);
index_type!(/// Index into [`Program::parameters`].
    ParameterId);
index_type!(/// Index into [`Program::lists`].
    ListId);
index_type!(/// Index into [`Program::rules`].
    RuleId);

/// A pack, compiled. Immutable; everything refers to everything by index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Program {
    pub info: PackInfo,
    /// Lower-case hexadecimal SHA-256 over the names and texts of all files of the pack (and of
    /// the packs it extends), in order of name.
    pub digest: String,
    pub files: Vec<SourceFile>,
    /// Ancestors before descendants: province first, then what hangs below.
    pub entities: Vec<Entity>,
    pub edges: Vec<Edge>,
    pub lists: Vec<CodeList>,
    /// What people read for units, money's `yuan` among them, where the pack says it.
    #[serde(default)]
    pub units: BTreeMap<String, Text>,
    pub parameters: Vec<Parameter>,
    pub columns: Vec<Column>,
    /// What kind of datum each column holds, in the order of `columns` ([`Program::class`]).
    pub classes: Vec<DataClass>,
    /// Every computed column (not fields), in an order in which each comes after what it needs.
    pub order: Vec<ColumnId>,
    pub rules: Vec<Rule>,
    pub clauses: Vec<Clause>,
    /// What clauses promise, split into parts; in order of declaration.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Conditions that make a subject a finding (conflicts of exceptions, division by zero).
    pub findings: Vec<FindingRule>,
    pub cases: Vec<Case>,
    /// Totals a run prints under stable names, in order of declaration.
    pub totals: Vec<Total>,
    /// Parameters that must not change within the calendar year of a run, with the rules that say so.
    pub unchanging: Vec<(RuleId, ParameterId)>,
    /// Import checks that a row or its relatives must pass, in order of declaration; also in `rules`.
    pub import_checks: Vec<RuleId>,
    pub networks: Vec<Network>,
    /// Files of records that a new registry starts with, in order of declaration.
    pub seeds: Vec<Seed>,
    /// Kinds of money and what they may be spent on.
    pub fund_kinds: Vec<model::ledger::Fund>,
    /// Files that banks take and give back.
    pub bank_layouts: Vec<model::payment::BankLayout>,
    /// The working days that the pack knows, of consecutive years.
    pub calendar: Option<model::flow::WorkingCalendar>,
    /// Who can act in procedures, in order of declaration.
    pub roles: Vec<Role>,
    /// The code list whose codes are the funds that money comes from, if the pack names one.
    pub funds: Option<ListId>,
}

/// Who can act in procedures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub id: String,
    pub label: Text,
    /// The entity whose records its holders belong to: a division, households, organisations. Absent for those
    /// who belong nowhere.
    pub level: Option<EntityId>,
    /// Whether its holders act for their own records only.
    pub own: bool,
    /// What it is to the office, which says what its holders may do to whose data.
    pub kind: RoleKind,
    pub span: Span,
}

/// Records of one entity that a pack ships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    pub entity: EntityId,
    /// Name of the pack that declares it.
    pub pack: String,
    /// Path from that pack's folder, never out of it.
    pub file: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackInfo {
    pub id: String,
    pub version: String,
    pub title: Text,
    /// As-of date used when none is given (worked cases, `compile`).
    pub as_of: Date,
    pub extends: Vec<String>,
    /// Known records, per cent of all that a total is about, below which a run says first that its figures are not to be
    /// relied on; from 50 to 100.
    pub known_percent_min: u8,
    /// What people write into a cell that has nothing to say, such as `/`.
    #[serde(default)]
    pub blank_marks: Vec<String>,
}

impl PackInfo {
    /// What holds where a pack says nothing.
    pub const KNOWN_PERCENT_MIN: u8 = 95;
}

impl Default for PackInfo {
    fn default() -> Self {
        Self {
            id: String::new(),
            version: String::new(),
            title: Text::default(),
            as_of: Date::MIN,
            extends: Vec::new(),
            known_percent_min: Self::KNOWN_PERCENT_MIN,
            blank_marks: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// Path inside the pack, with the pack id in front: `sichuan-2015/article-07.toml`.
    pub name: String,
    pub text: String,
}

/// A table of the registry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entity {
    pub name: String,
    pub label: Text,
    /// The field that identifies a record (as written by the office).
    pub key: ColumnId,
    /// The tree edge to the parent; `None` at the root. Rows of a snapshot are sorted along tree edges.
    pub parent: Option<EdgeId>,
    /// Recorded fields in order of declaration (the key included).
    pub fields: Vec<ColumnId>,
    /// Upper bound on the number of rows in a registry; feeds interval analysis of sums.
    pub rows_max: i64,
    /// `Some(level)` when the entity is a level of the division tree (`province` … `village`):
    /// its records are then divisions with history.
    pub division: Option<String>,
    /// The fields by which its records are judgements of an office, if they are.
    #[serde(default)]
    pub judgement: Option<Judgement>,
    /// How an import recognises the sheet: words in the sheet's title, sheet name or file name.
    pub sheet: Vec<String>,
    pub span: Span,
}

/// Who judged, when, and on what evidence: fields of the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    pub by: ColumnId,
    pub on: ColumnId,
    pub evidence: ColumnId,
}

/// A named relation from a child to one parent record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// What a child calls it in expressions: mostly the parent entity's name.
    pub name: String,
    pub child: EntityId,
    pub parent: EntityId,
    /// Field of the child that holds the reference.
    pub via: ColumnId,
    /// Field of the parent that it matches (its key, or a unique field).
    pub on: ColumnId,
    /// Whether the edge is the child's place in the tree.
    pub tree: bool,
    /// Whether every accepted child has the parent (import refuses it otherwise).
    pub required: bool,
    /// Child fields that must agree with parent fields to recognise a parent whose row was
    /// refused: `(child field, parent field)`.
    pub also: Vec<(ColumnId, ColumnId)>,
    /// Number of leading characters of the child's key that repeat the parent's key, if the
    /// numbering works so; lets an import say where a stray child belongs.
    pub key_prefix: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeList {
    pub id: String,
    pub label: Text,
    pub codes: Vec<Code>,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    /// What is stored and what expressions say.
    pub code: String,
    pub label: Text,
    /// Other spellings met in workbooks (the labels are always understood).
    pub aliases: Vec<String>,
}

/// A physical dimension: powers of base units, empty for pure numbers. Yuan is a unit too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unit(pub BTreeMap<String, i8>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    Bool,
    Number(NumberType),
    Date,
    Code(ListId),
    Text,
    /// The one floating type: inequality indices and the like. Never flows back into numbers.
    Index,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NumberType {
    pub kind: NumberKind,
    /// Empty for counts and rates; `{yuan: 1}` for money; `{mu: 1}`, `{yuan: 1, mu: -1}` and so on.
    pub unit: Unit,
    /// 0 for counts, 2 for money.
    pub decimals: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NumberKind {
    /// A whole number of things: members, months, days, years.
    Count,
    /// A pure ratio.
    Rate,
    /// Anything with a unit; money is the quantity whose unit is yuan.
    Quantity,
}

/// A known value. Unknown is `Option::None` around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Bool(bool),
    /// Scaled by the decimals of its type.
    Number(i128),
    Date(Date),
    /// A code or a text.
    Text(String),
    Index(f64),
}

/// Inclusive bounds of a scaled number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub min: i128,
    pub max: i128,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Column {
    pub entity: EntityId,
    /// Unique within the entity. Hidden columns start with an underscore.
    pub name: String,
    pub label: Text,
    pub ty: Type,
    /// Whether the value can be unknown.
    pub nullable: bool,
    /// Bounds of numbers; `None` for other types. A column whose range leaves 64 bits is `wide`.
    pub range: Option<Range>,
    pub kind: ColumnKind,
    /// The rule it belongs to, if it is not a field.
    pub rule: Option<RuleId>,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ColumnKind {
    Field(Field),
    /// Over columns of the same entity.
    Scalar(Expr),
    /// The parent's column along the edge; unknown where the parent is missing.
    Lookup {
        edge: EdgeId,
        column: ColumnId,
    },
    /// Over the children that reach this entity along the edge.
    Aggregate(Aggregate),
    Window(Window),
}

/// What a form, an import and a snapshot need to know of a recorded field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Field {
    pub required: bool,
    pub unique: bool,
    pub blank: Blank,
    /// Headers that an import recognises besides the labels.
    pub aliases: Vec<String>,
    /// What kind of datum the pack says it is; its column may be of a stricter class ([`Program::class`]).
    pub pii: DataClass,
    pub purpose: Text,
    pub format: Format,
    /// Whether a rule, check, total or report reads it (the compiler refuses packs where none does
    /// and `purpose` does not name a form).
    pub used: bool,
    /// What to do with a cell that cannot be read as the type says.
    pub unreadable: Action,
    /// What it follows from, if nobody records it: a snapshot computes it.
    pub derived: Option<Derived>,
}

impl Field {
    /// A field that follows from others and appears on no form.
    pub fn derived(derived: Derived) -> Self {
        Self {
            required: false,
            unique: false,
            blank: Blank::Unknown,
            aliases: Vec::new(),
            pii: DataClass::Open,
            purpose: Text::default(),
            format: Format::Plain,
            used: true,
            unreadable: Action::Refuse,
            derived: Some(derived),
        }
    }
}

/// What a derived field follows from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Derived {
    /// A graph algorithm.
    Network {
        /// Index into [`Program::networks`].
        network: usize,
        function: NetworkFunction,
        from: NodePath,
        /// The other node, for functions that join two.
        to: Option<NodePath>,
        /// The edge by which nodes say to which subject they belong, for functions that lead out of it.
        within: Option<EdgeId>,
        /// Position of the worst class that counts.
        at_least: Option<usize>,
    },
    /// The same subject's result in an earlier run; unknown where no run is given.
    PreviousRun { column: String },
    /// What a dated record said on a day of the subject: of the records that belong to what the edges lead to (the subject
    /// itself if there are none), the one with the latest `since` that is not after `on`.
    AsAt {
        edges: Vec<EdgeId>,
        /// From the dated records to what they are about.
        held: EdgeId,
        since: ColumnId,
        value: ColumnId,
        /// Date field of the subject.
        on: ColumnId,
    },
    /// The key of the ancestor that these edges lead to.
    Ancestor { edges: Vec<EdgeId> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetworkFunction {
    /// The worst class on the way between two nodes whose worst class is best.
    BestWorstClass,
    /// Whether there is any way between two nodes.
    Connected,
    /// The way that [`Self::BestWorstClass`] rests on, by the names of its edges.
    Route,
    /// Greatest number of ways from a node out of its area that share no edge.
    EdgeDisjointPaths,
    /// The ways that [`Self::EdgeDisjointPaths`] counts.
    DisjointRoutes,
}

/// A field that names a node: of the subject, or of what the edges lead to from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePath {
    pub edges: Vec<EdgeId>,
    pub field: ColumnId,
}

/// A graph in the registry: records of one entity join those of another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Network {
    pub id: String,
    pub nodes: EntityId,
    pub edges: EntityId,
    /// Fields of the edges with the keys of the nodes they join.
    pub from: ColumnId,
    pub to: ColumnId,
    /// A code; its list has the best class first.
    pub class: ColumnId,
    /// Name of the hidden bool column that says whether an edge can be used, and the column.
    pub open: Option<String>,
    pub open_column: Option<ColumnId>,
    /// What routes call an edge; its key if absent.
    pub name: Option<ColumnId>,
    pub span: Span,
}

/// What an empty cell means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blank {
    Unknown,
    /// `否` / false.
    No,
    Zero,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    Plain,
    CitizenNumber,
    DisabilityCertificate,
    DivisionCode,
    /// Cells hold percent (4.35) and the field a rate (0.0435).
    Percent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// The row stays out.
    Refuse,
    /// The row is kept (an unreadable value as unknown) and a warning is given.
    Warn,
}

/// An expression over the columns of one entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    /// Whether it can be unknown.
    pub nullable: bool,
    /// Bounds for numbers; intermediate results included (see [`ExprKind`]).
    pub range: Option<Range>,
    pub span: Span,
}

/// Three-valued throughout: `And`, `Or`, `Not` follow Kleene; every other operation is unknown as
/// soon as one of its operands is, except where stated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExprKind {
    Column(ColumnId),
    Literal(Value),
    /// A dated parameter. Value in force at `at` (a date expression), or at the run's as-of date; unknown on a day
    /// without a value in force.
    /// `key` selects from a table. Replaced by literals before execution (`desugar`).
    Parameter {
        id: ParameterId,
        at: Option<Box<Expr>>,
        key: Option<Box<Expr>>,
    },
    /// The as-of date of the run.
    AsOf,
    /// Both operands have the type's scale.
    Add(Box<Expr>, Box<Expr>),
    Sub(Box<Expr>, Box<Expr>),
    /// `a * b`, then divided by 10^drop with rounding.
    Mul {
        a: Box<Expr>,
        b: Box<Expr>,
        drop: u8,
        round: Rounding,
    },
    /// `a * 10^up / b` with rounding; unknown where `b` is zero.
    Div {
        a: Box<Expr>,
        b: Box<Expr>,
        up: u8,
        round: Rounding,
    },
    Neg(Box<Expr>),
    Abs(Box<Expr>),
    /// `a * 10^up`: the same value with more decimals.
    Rescale {
        a: Box<Expr>,
        up: u8,
    },
    /// Rounds to fewer decimals: `a / 10^drop` with rounding.
    Round {
        a: Box<Expr>,
        drop: u8,
        round: Rounding,
    },
    Compare {
        op: Comparison,
        a: Box<Expr>,
        b: Box<Expr>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// Never unknown itself.
    IsUnknown(Box<Expr>),
    /// The first branch whose condition is true. An unknown condition before it makes the result
    /// unknown. No branch and no `otherwise`: unknown.
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    /// The first known operand.
    Coalesce(Vec<Expr>),
    Least(Vec<Expr>),
    Greatest(Vec<Expr>),
    In {
        a: Box<Expr>,
        list: Vec<Value>,
    },
    DatePart {
        part: DatePart,
        a: Box<Expr>,
    },
    /// `to - from` in days.
    DaysBetween {
        from: Box<Expr>,
        to: Box<Expr>,
    },
    /// Same day `months` later, or the month's last day where there is none.
    AddMonths {
        a: Box<Expr>,
        months: Box<Expr>,
    },
    AddDays {
        a: Box<Expr>,
        days: Box<Expr>,
    },
    /// First of January of a year, or any date from year, month and day (known to be valid).
    MakeDate {
        year: Box<Expr>,
        month: Box<Expr>,
        day: Box<Expr>,
    },
    /// Completed years of life at a date: the birthday itself counts.
    Age {
        birth: Box<Expr>,
        at: Box<Expr>,
    },
    /// Sum over the brackets of the part of `x` in the bracket times its rate, each product
    /// rounded by itself.
    Bracket {
        parameter: ParameterId,
        /// The day whose scale counts: that of the run if absent. Unknown on a day without a scale.
        at: Option<Box<Expr>>,
        x: Box<Expr>,
        round: Rounding,
    },
    /// Characters `from` (1-based) to `from + length - 1`.
    Substring {
        a: Box<Expr>,
        from: u32,
        length: u32,
    },
    /// Digits to a count. The operand is known to consist of digits.
    DigitsToCount(Box<Expr>),
    /// A number as an index (floating) value.
    ToIndex(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DatePart {
    Year,
    Month,
    Day,
}

pub use model::Rounding;

/// `function(argument) FILTER (WHERE filter)` over the children along `edge`; both expressions
/// read columns of the child.
///
/// Strict: unknown if some child's missing value could change it. Precisely, with `f` the filter
/// (true when absent) and `x` the argument of one child:
/// - `Count`: unknown if `f` is unknown for some child. Empty: 0.
/// - `Sum`: unknown if for some child `f` is unknown and `x` is not a known 0, or `f` is true and
///   `x` unknown. Empty: 0.
/// - `Any`: true if for some child `f` and `x` are true; else unknown if for some child neither is
///   known false; else false. Empty: false.
/// - `All`: false if for some child `f` is true and `x` false; else unknown if for some child `f`
///   is not known false and `x` is not known true; else true. Empty: true.
/// - `Min`, `Max`: unknown if for some child `f` is unknown, or `f` is true and `x` unknown, or no
///   child passes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aggregate {
    pub edge: EdgeId,
    pub function: AggregateFunction,
    /// Absent for `Count`.
    pub argument: Option<Expr>,
    pub filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AggregateFunction {
    Count,
    Sum,
    Any,
    All,
    Min,
    Max,
}

/// A value over siblings: the children of one parent along `edge` (and, with `partition`, those
/// among them with equal partition values), in `order`.
///
/// Unknown if the argument of a row inside the frame is unknown, or if an order or partition value
/// of any sibling of the same parent is unknown. Siblings without a parent have unknown values.
/// Ties in `order` are broken by the entity's key, so that results do not depend on row order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Window {
    pub edge: EdgeId,
    pub function: WindowFunction,
    /// Absent for `RowNumber` and `Rank`.
    pub argument: Option<Expr>,
    pub partition: Vec<Expr>,
    pub order: Vec<(Expr, Direction)>,
    pub frame: Frame,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WindowFunction {
    /// 0 over an empty frame.
    Sum,
    /// Number of rows in the frame.
    Count,
    /// From 1, in order; ties broken by key.
    RowNumber,
    /// From 1, ties share a rank and leave a gap.
    Rank,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Frame {
    /// ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    Before,
    /// ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    UpToCurrent,
    /// The whole partition.
    All,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameter {
    pub id: String,
    pub label: Text,
    pub ty: Type,
    pub shape: ParameterShape,
    pub cite: Vec<ClauseId>,
    /// The open word of the law that the value interprets.
    #[serde(default)]
    pub reading: Option<Text>,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ParameterShape {
    Scalar(Vec<Dated<Value>>),
    /// A value for every code of a list.
    Table {
        list: ListId,
        values: Vec<Dated<BTreeMap<String, Value>>>,
    },
    /// A rising scale over amounts of `over`; the values are rates.
    Brackets {
        over: NumberType,
        values: Vec<Dated<Vec<BracketStep>>>,
    },
}

/// A value with the time it is in force and where it comes from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dated<T> {
    pub value: T,
    /// In force from this day …
    pub from: Date,
    /// … to the day before this one; open if absent.
    pub until: Option<Date>,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// With the document and place it stands in.
    Official(String),
    /// An example value that the user must replace.
    Assumed,
    /// Given on the command line.
    Override,
}

/// From `from` (scaled as `over`) up to the next step's `from`: `rate` (scaled by the parameter's decimals).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BracketStep {
    pub from: i128,
    pub rate: i128,
}

/// Something declared: it cites clauses and owns columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub kind: RuleKind,
    /// `None` for programmes and reports that are about no single entity.
    pub entity: Option<EntityId>,
    pub title: Text,
    pub cite: Vec<ClauseId>,
    /// Parts of clauses that it cites; their clauses are in `cite` too.
    #[serde(default)]
    pub parts: Vec<PartId>,
    pub detail: RuleDetail,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RuleKind {
    Variable,
    Benefit,
    Standard,
    Measure,
    Check,
    Audit,
    Programme,
    Duty,
    Flow,
    Asset,
    Scorecard,
    Report,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RuleDetail {
    Variable {
        column: ColumnId,
    },
    Benefit(Benefit),
    Standard(Standard),
    Measure(Measure),
    Check(Check),
    Duty(Duty),
    Programme(Programme),
    Scorecard(Scorecard),
    Asset(Asset),
    Flow(Box<Flow>),
    /// Reports, checked as declarations: columns of their expressions by name, and the rest as written.
    Declared {
        columns: Vec<(String, ColumnId)>,
        attributes: BTreeMap<String, String>,
    },
}

/// A procedure about records of the rule's entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The entity whose record a sheet belongs to: a case may then hold many records of it.
    pub sheet: Option<EntityId>,
    /// What the machine runs. Its expressions are columns of this program ([`model::flow::ExpressionId`] holds
    /// the number of a [`ColumnId`]), on the rule's entity save for the electorate, which is on the sheet's;
    /// its parameters are parameters of this program.
    pub machine: model::flow::Flow,
    /// All of these columns: what has to be computed to decide.
    pub columns: Vec<ColumnId>,
}

/// How often something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    Once,
    Month,
    Quarter,
    /// Half a school year.
    Term,
    Year,
}

impl Period {
    /// The words of a pack.
    pub const CHOICES: &[(&str, Self)] = &[
        ("once", Self::Once),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("term", Self::Term),
        ("year", Self::Year),
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Term => "term",
            Self::Year => "year",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Benefit {
    /// Bool column named as the benefit: entitled or not.
    pub who: ColumnId,
    /// Column `<id>_amount` (money, or the quantity of goods): 0 where not entitled.
    pub amount: Option<ColumnId>,
    pub exceptions: Vec<Exception>,
    pub every: Period,
    /// What of it was paid, where the pack says how payments are recorded.
    #[serde(default)]
    pub paid: Option<Payments>,
    pub goods: Option<Text>,
    pub paid_from: Vec<String>,
    pub flow: Option<String>,
    pub documents: Vec<Text>,
}

/// What is owed and was paid in the benefit's period that holds the as-of date, up to that date; for what is owed once,
/// whenever it was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// Column `<id>_owed`.
    pub owed: ColumnId,
    /// Column `<id>_paid`.
    pub paid: ColumnId,
    /// Column `<id>_outstanding`: what is owed less what was paid, never below 0.
    pub outstanding: ColumnId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exception {
    /// Hidden bool column.
    pub when: ColumnId,
    pub cite: Vec<ClauseId>,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standard {
    /// Bool column named as the standard.
    pub holds: ColumnId,
    /// Bool column of those the standard is about, if not all.
    pub applies: Option<ColumnId>,
    /// Share to reach, scaled by 10^4, and the year.
    pub target: Option<(i64, i32)>,
    /// Programme and the column with the missing quantity, and the column with the cost.
    pub remedy: Option<Remedy>,
    /// Named conditions whose conjunction is `holds`, if declared as parts.
    pub parts: Vec<(Text, ColumnId)>,
    /// What it comes to at every division above, the nearest first.
    pub levels: Vec<Level>,
}

/// What a rule about subjects comes to at one division above them. Those about whom something is not
/// known are counted apart, and left out of the share and the sums.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Level {
    pub entity: EntityId,
    /// Number of those the rule is known to be about.
    pub subjects: ColumnId,
    pub met: ColumnId,
    pub unmet: ColumnId,
    /// Number of those of whom it is not known whether the rule is about them, or whether they meet it.
    pub unknown: ColumnId,
    /// `met / (met + unmet)`; unknown where nobody's state is known.
    pub share: ColumnId,
    /// Whether the share reaches the target whatever the unknown ones turn out to be; unknown where they decide.
    pub on_target: Option<ColumnId>,
    /// Sum of the known gaps.
    pub gap: Option<ColumnId>,
    /// Number of subjects whose gap is not known.
    pub gap_unknown: Option<ColumnId>,
    /// Sum of the known costs of closing gaps.
    pub gap_cost: Option<ColumnId>,
    /// Of a duty with a day by which it is due: those met after that day (where the duty says when it was met), and those
    /// open beyond it.
    #[serde(default)]
    pub met_late: Option<ColumnId>,
    #[serde(default)]
    pub late: Option<ColumnId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remedy {
    pub programme: String,
    pub quantity: ColumnId,
    pub cost: Option<ColumnId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measure {
    /// One column for each entity level it is computed at.
    pub columns: Vec<(EntityId, ColumnId)>,
    /// Columns of numerator and denominator at each level, where it is a ratio.
    pub ratio: Option<Vec<(EntityId, ColumnId, ColumnId)>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// Bool column named as the check: true where the entry contradicts itself.
    pub fails: ColumnId,
    pub at_import: bool,
    pub action: Action,
    /// Message in both languages; `{name}` stands for the value of a column of the entity.
    pub message: Text,
    /// Field to mend.
    pub mend: Option<ColumnId>,
}

/// The code list that every pack with duties has: what has become of a duty.
pub const DUTY_STATES: &str = "duty_state";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Duty {
    /// Bool column: who owes it.
    pub owed: ColumnId,
    /// Bool column: whether it is met.
    pub met: ColumnId,
    pub who: Text,
    /// Date column: the last day on which it is met in time.
    #[serde(default)]
    pub due: Option<ColumnId>,
    /// Date column: the day on which it was met.
    #[serde(default)]
    pub met_on: Option<ColumnId>,
    /// Column `<id>_state` of codes of the list [`DUTY_STATES`]; unknown where the state is.
    pub state: ColumnId,
    pub evidence: Vec<Text>,
    /// What it comes to at every division above, the nearest first.
    pub levels: Vec<Level>,
}

/// Money shared out among holders, the whole of it and to the fen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asset {
    pub holders: EntityId,
    /// From the holders to what they hold.
    pub edge: EdgeId,
    /// On the asset: what is to be shared out, the sum of the shares, and whether they agree.
    pub amount: ColumnId,
    pub total: ColumnId,
    pub complete: ColumnId,
    /// On the holder: what its part is measured by, what it gets in any case, and its share.
    pub weight: ColumnId,
    pub guaranteed: Option<ColumnId>,
    pub share: ColumnId,
}

/// Points for items, weighted to one total.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scorecard {
    /// Points from 0 to 100 with two decimals, named as the scorecard.
    pub total: ColumnId,
    pub items: Vec<ScorecardItem>,
    /// Bool column: one of the vetoes applies.
    pub vetoed: Option<ColumnId>,
    pub vetoes: Vec<Veto>,
    /// Place among the siblings, from 1; those vetoed share the last one.
    pub rank: Option<ColumnId>,
    /// Number of siblings that have a rank.
    pub ranked: Option<ColumnId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ScorecardItem {
    pub id: String,
    pub title: Text,
    /// Scaled by 10^4; those of all items add up to 10^4.
    pub weight: i64,
    pub points: ColumnId,
    /// Bool column: the item is not counted, and its weight goes to the others.
    pub exempt: Option<ColumnId>,
    /// The rank if the item weighed 0.05 more and the others less in proportion.
    pub rank_if_raised: Option<ColumnId>,
    pub cite: Vec<ClauseId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Veto {
    pub title: Text,
    /// Hidden bool column.
    pub when: ColumnId,
    pub cite: Vec<ClauseId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Programme {
    pub unit: String,
    /// Parameter with the unit cost.
    pub unit_cost: Option<ParameterId>,
    pub stages: Vec<Text>,
    pub evidence: Vec<Text>,
    pub paid_from: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clause {
    pub id: ClauseId,
    pub kind: String,
    pub summary: Text,
    /// Why a `principle` or `outside` clause has nothing to execute.
    pub reason: Option<Text>,
    pub span: Span,
}

/// One part of what a clause promises: `7.1/2`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartId {
    pub clause: ClauseId,
    /// From 1.
    pub number: u32,
}

impl std::fmt::Display for PartId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.clause, self.number)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    pub id: PartId,
    /// What makes it true for the people it is about; never empty.
    pub needs: Vec<Need>,
    pub says: Text,
    pub span: Span,
}

/// What a part of a clause takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Need {
    Computed,
    Act,
    Payment,
    Document,
    Published,
    Judged,
    /// Not built, for a reason that its clause gives.
    Outside,
    /// Nothing to execute.
    Principle,
}

impl Need {
    /// The words of a pack.
    pub const CHOICES: &[(&str, Self)] = &[
        ("computed", Self::Computed),
        ("act", Self::Act),
        ("payment", Self::Payment),
        ("document", Self::Document),
        ("published", Self::Published),
        ("judged", Self::Judged),
        ("outside", Self::Outside),
        ("principle", Self::Principle),
    ];

    pub fn as_str(self) -> &'static str {
        Self::CHOICES.iter().find(|(_, need)| *need == self).map_or("", |(word, _)| word)
    }
}

/// When `condition` (hidden bool column) is true, the subject is a finding and the rule's result unknown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingRule {
    pub column: ColumnId,
    /// `conflict` or `division-by-zero`.
    pub code: String,
    pub rule: Option<RuleId>,
    pub message: Text,
}

/// `id = aggregate over an entity's results`, printed by every run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Total {
    pub id: String,
    pub title: Text,
    pub entity: EntityId,
    pub function: TotalFunction,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TotalFunction {
    /// All rows.
    Count,
    /// Rows where the bool column is true.
    CountTrue(ColumnId),
    /// Sum of known values.
    Sum(ColumnId),
}

/// A worked case: recorded facts in, expected results out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    /// What the case is there for, in the words of who wrote it.
    #[serde(default)]
    pub why: Option<String>,
    pub as_of: Date,
    pub cite: Vec<ClauseId>,
    pub records: Vec<CaseRecord>,
    pub expect: Vec<Expectation>,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseRecord {
    pub entity: EntityId,
    /// Value of the key field.
    pub key: String,
    /// Fields given; `None` is given as unknown. Absent fields are unknown, or the entity's
    /// `case_default` filled in by the compiler.
    pub fields: Vec<(ColumnId, Option<Value>)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expectation {
    pub entity: EntityId,
    pub key: String,
    pub column: ColumnId,
    /// `None`: the result is unknown.
    pub value: Option<Value>,
    pub span: Span,
}
