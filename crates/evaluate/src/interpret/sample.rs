//! A small pack built by hand, for tests: villages, households, persons and their hospital stays.

use std::collections::BTreeMap;

use model::Text;
use pack::program::*;

use super::Facts;
use super::build::{
    Build, add, aggregate, and, as_of, case, clause_id, compare, count, count_type, date, dated, div, expr,
    fen, money_type, mul, not, number, one_of, rate_type, sub, text,
};
use super::{FactsBuilder, Provenance};

/// The pack with the ids that tests speak of.
pub(crate) struct Sample {
    pub build: Build,
    pub village: EntityId,
    pub household: EntityId,
    pub person: EntityId,
    pub stay: EntityId,
    names: BTreeMap<&'static str, ColumnId>,
    rules: BTreeMap<&'static str, RuleId>,
}

const MONEY_MAX: i128 = 100_000_000;

impl Sample {
    pub fn new() -> Self {
        let mut build = Build::new();
        let village = build.entity("village", "村", "village");
        let household = build.entity("household", "户", "household");
        let person = build.entity("person", "人", "person");
        let stay = build.entity("stay", "住院", "stay");
        build.edge(household, village);
        build.edge(person, household);
        build.edge(stay, person);
        let names = BTreeMap::new();
        let mut sample = Self { build, village, household, person, stay, names, rules: BTreeMap::new() };
        sample.fields();
        sample.incomes();
        sample.minimum_living();
        sample.exit();
        sample.stays();
        sample.repair();
        sample.checks();
        sample
    }

    pub fn program(&self) -> &Program {
        &self.build.program
    }

    pub fn column(&self, name: &str) -> ColumnId {
        self.names[name]
    }

    pub fn rule(&self, name: &str) -> RuleId {
        self.rules[name]
    }

    fn col(&self, name: &str) -> Expr {
        self.build.col(self.names[name])
    }

    fn field(
        &mut self,
        entity: EntityId,
        name: &'static str,
        label: (&str, &str),
        ty: Type,
        range: Option<(i128, i128)>,
    ) {
        let id = self.build.field(entity, name, label, ty, range);
        self.names.insert(name, id);
    }

    fn scalar(&mut self, entity: EntityId, name: &'static str, label: (&str, &str), value: Expr) {
        let id = self.build.scalar(entity, name, label, value);
        self.names.insert(name, id);
    }

    fn computed(
        &mut self,
        entity: EntityId,
        name: &'static str,
        label: (&str, &str),
        ty: Type,
        kind: ColumnKind,
    ) {
        let id = self.build.computed(entity, name, label, ty, kind);
        self.names.insert(name, id);
    }

    fn fields(&mut self) {
        let grades = [
            ("A", "A 级", "grade A"),
            ("B", "B 级", "grade B"),
            ("C", "C 级", "grade C"),
            ("D", "D 级", "grade D"),
        ];
        let grade = self.build.list("grade", &grades);
        let labours = [
            ("ordinary", "普通劳动力", "ordinary worker"),
            ("skilled", "技能劳动力", "skilled worker"),
            ("none", "无劳动力", "unable to work"),
        ];
        let labour = self.build.list("labour", &labours);
        let (village, household) = (self.village, self.household);
        self.field(village, "road", ("通硬化路", "hardened road"), Type::Bool, None);
        let money = Some((0, MONEY_MAX));
        self.field(household, "wages", ("工资性收入", "wages"), money_type(), money);
        self.field(household, "production", ("生产经营性收入", "production income"), money_type(), money);
        self.field(household, "cost", ("生产经营性支出", "production cost"), money_type(), money);
        self.field(household, "grade", ("房屋等级", "house grade"), Type::Code(grade), None);
        self.field(self.person, "birth", ("出生日期", "date of birth"), Type::Date, None);
        self.field(self.person, "labour", ("劳动能力", "labour"), Type::Code(labour), None);
        self.field(self.stay, "discharged", ("出院日期", "discharge"), Type::Date, None);
        self.field(self.stay, "bill", ("费用", "bill"), money_type(), money);
        self.build.clause(
            "7.1",
            "无劳动能力的贫困户实行兜底保障",
            "households unable to work are supported in full",
        );
        self.build.clause("7.2", "补差发放最低生活保障金", "the guarantee tops income up to the line");
        self.build.clause("23.1", "贫困户退出标准", "what a household must have to leave poverty");
        self.build.clause("8.2", "危房改造补助", "grants for house repair");
        self.build.clause("8.3", "整户搬迁的另行补助", "relocated households get another grant");
    }

    fn incomes(&mut self) {
        let age = ExprKind::Age { birth: Box::new(self.col("birth")), at: Box::new(as_of()) };
        self.scalar(self.person, "age", ("年龄", "age"), expr(age, count_type()));
        let members = aggregate(EdgeId(1), AggregateFunction::Count, None, None);
        self.computed(self.household, "members", ("家庭人口", "members"), count_type(), members);
        let able = and(vec![
            compare(Comparison::GreaterOrEqual, self.col("age"), count(16)),
            compare(Comparison::LessOrEqual, self.col("age"), count(59)),
            one_of(self.col("labour"), &["ordinary", "skilled"]),
        ]);
        let able = aggregate(EdgeId(1), AggregateFunction::Count, None, Some(able));
        self.computed(self.household, "able", ("劳动力人数", "able workers"), count_type(), able);
        let total = sub(add(self.col("wages"), self.col("production")), self.col("cost"));
        let income = div(total, self.col("members"), 0);
        self.scalar(self.household, "income", ("人均纯收入", "income per person"), income);
    }

    fn minimum_living(&mut self) {
        let source = |text: &str| Source::Official(text.to_owned());
        let line = ParameterShape::Scalar(vec![
            dated(number(280_000), "2014-01-01", Some("2015-01-01"), source("国开办〔2014〕1号")),
            dated(number(285_500), "2015-01-01", None, source("国开办〔2015〕1号")),
        ]);
        let line = self.build.parameter("poverty_line", ("贫困线", "poverty line"), money_type(), line);
        let assured =
            ParameterShape::Scalar(vec![dated(number(240_000), "2015-01-01", None, Source::Assumed)]);
        let assured =
            self.build.parameter("assured_line", ("低保标准", "minimum living line"), money_type(), assured);
        let who = and(vec![
            compare(Comparison::Equal, self.col("able"), count(0)),
            compare(Comparison::Less, self.col("income"), self.build.param(line)),
        ]);
        self.scalar(self.household, "minimum_living", ("最低生活保障", "minimum living guarantee"), who);
        let gap = mul(sub(self.build.param(assured), self.col("income")), self.col("members"), 0);
        let amount = expr(ExprKind::Greatest(vec![fen(0), gap]), money_type());
        let amount = case(vec![(self.col("minimum_living"), amount)], Some(fen(0)));
        self.scalar(self.household, "minimum_living_amount", ("保障金", "guarantee"), amount);
        let (who, amount) = (self.column("minimum_living"), self.column("minimum_living_amount"));
        self.benefit(
            "minimum_living",
            ("最低生活保障", "Minimum living guarantee"),
            &["7.1", "7.2"],
            who,
            amount,
            vec![],
        );
    }

    fn benefit(
        &mut self,
        id: &'static str,
        title: (&str, &str),
        cite: &[&str],
        who: ColumnId,
        amount: ColumnId,
        exceptions: Vec<Exception>,
    ) {
        let detail = RuleDetail::Benefit(Benefit {
            paid: None,
            who,
            amount: Some(amount),
            exceptions,
            every: Period::Year,
            goods: None,
            paid_from: vec![],
            flow: None,
            documents: vec![],
        });
        let rule = self.build.rule(id, title, RuleKind::Benefit, cite, detail, &[who, amount]);
        self.rules.insert(id, rule);
    }

    fn exit(&mut self) {
        let road = self.build.look_up(self.household, EdgeId(0), self.names["road"]);
        self.names.insert("_village_road", road);
        let line = self.build.param(ParameterId(0));
        let over = compare(Comparison::Greater, self.col("income"), line);
        self.scalar(self.household, "exit_1", ("收入稳定超过贫困线", "income above the line"), over);
        let safe = one_of(self.col("grade"), &["A", "B"]);
        self.scalar(self.household, "exit_2", ("住房安全", "safe housing"), safe);
        let road = self.build.col(road);
        self.scalar(self.household, "exit_3", ("道路畅通", "road access"), road);
        let all = and(vec![self.col("exit_1"), self.col("exit_2"), self.col("exit_3")]);
        self.scalar(self.household, "exit", ("达到退出标准", "ready to exit"), all);
        let parts = [
            ("收入达标", "income", "exit_1"),
            ("住房安全", "housing", "exit_2"),
            ("道路畅通", "road", "exit_3"),
        ];
        let detail = RuleDetail::Standard(Standard {
            holds: self.column("exit"),
            applies: None,
            target: None,
            remedy: None,
            parts: parts.map(|(zh, en, name)| (Text::new(zh, en), self.column(name))).to_vec(),
            levels: Vec::new(),
        });
        let columns = ["exit", "exit_1", "exit_2", "exit_3"].map(|name| self.column(name));
        let title = ("贫困户退出", "Household exit");
        let rule = self.build.rule("exit", title, RuleKind::Standard, &["23.1"], detail, &columns);
        self.rules.insert("exit", rule);
    }

    fn stays(&mut self) {
        let window = |build: &Build, names: &BTreeMap<&str, ColumnId>| Window {
            edge: EdgeId(2),
            function: WindowFunction::Sum,
            argument: Some(build.col(names["bill"])),
            partition: vec![],
            order: vec![(build.col(names["discharged"]), Direction::Ascending)],
            frame: Frame::Before,
        };
        let before = ColumnKind::Window(window(&self.build, &self.names));
        self.computed(self.stay, "before", ("此前费用", "bills before"), money_type(), before);
        let total = aggregate(EdgeId(2), AggregateFunction::Sum, Some(self.col("bill")), None);
        self.computed(self.person, "bills", ("全年费用", "bills of the year"), money_type(), total);
        let Type::Number(over) = money_type() else { unreachable!("money is a number") };
        let steps = vec![
            BracketStep { from: 0, rate: 5_000 },
            BracketStep { from: 3_000_000, rate: 6_000 },
            BracketStep { from: 5_000_000, rate: 7_000 },
        ];
        let shape = ParameterShape::Brackets {
            over,
            values: vec![dated(steps, "2015-01-01", None, Source::Assumed)],
        };
        let scale =
            self.build.parameter("serious", ("大病分段比例", "serious-illness scale"), rate_type(), shape);
        let covered = ExprKind::Bracket {
            parameter: scale,
            at: None,
            x: Box::new(self.col("bills")),
            round: Rounding::HalfUp,
        };
        self.scalar(
            self.person,
            "covered",
            ("大病报销", "serious-illness cover"),
            expr(covered, money_type()),
        );
        let ill = compare(Comparison::Greater, self.col("bills"), fen(1_000_000));
        let ill = aggregate(EdgeId(1), AggregateFunction::Any, Some(ill), None);
        self.computed(self.household, "ill", ("有大病患者", "has a seriously ill member"), Type::Bool, ill);
        let sick = mul(self.col("bills"), count(100), 0);
        let share = div(sick, self.col("bills"), 0);
        self.scalar(self.person, "share", ("占比", "share"), share);
        let column = self.column("covered");
        let detail = RuleDetail::Variable { column };
        let rule = self.build.rule(
            "covered",
            ("大病报销", "Serious-illness cover"),
            RuleKind::Variable,
            &[],
            detail,
            &[column],
        );
        self.rules.insert("covered", rule);
    }

    fn repair(&mut self) {
        let who = one_of(self.col("grade"), &["C", "D"]);
        self.scalar(self.household, "repair", ("危房改造", "house repair"), who);
        let worst = compare(
            Comparison::Equal,
            self.col("grade"),
            expr(ExprKind::Literal(text("D")), self.col("grade").ty),
        );
        self.scalar(self.household, "_repair_except_1", ("", ""), worst);
        let no_road = not(self.col("_village_road"));
        self.scalar(self.household, "_repair_except_2", ("", ""), no_road);
        let both = and(vec![self.col("_repair_except_1"), self.col("_repair_except_2")]);
        self.scalar(self.household, "_repair_conflict", ("", ""), both);
        let unknown = expr(ExprKind::Case { branches: vec![], otherwise: None }, money_type());
        let amount = case(
            vec![
                (self.col("_repair_conflict"), unknown),
                (self.col("_repair_except_1"), fen(2_500_000)),
                (self.col("_repair_except_2"), fen(3_000_000)),
            ],
            Some(fen(800_000)),
        );
        let amount = case(vec![(self.col("repair"), amount)], Some(fen(0)));
        self.scalar(self.household, "repair_amount", ("改造补助", "repair grant"), amount);
        let exception = |sample: &Self, name: &str, clause: &str| Exception {
            when: sample.column(name),
            cite: vec![clause_id(clause)],
            span: Span::default(),
        };
        let exceptions =
            vec![exception(self, "_repair_except_1", "8.2"), exception(self, "_repair_except_2", "8.3")];
        let (who, amount) = (self.column("repair"), self.column("repair_amount"));
        self.benefit("repair", ("危房改造", "House repair"), &["8.2"], who, amount, exceptions);
        self.build.program.findings.push(FindingRule {
            column: self.column("_repair_conflict"),
            code: "conflict".to_owned(),
            rule: Some(self.rule("repair")),
            message: Text::new("两项例外同时适用", "two exceptions apply at once"),
        });
    }

    fn checks(&mut self) {
        let fails = and(vec![
            compare(Comparison::Greater, self.col("cost"), self.col("production")),
            one_of(self.col("grade"), &["A"]),
        ]);
        self.scalar(self.household, "cost_check", ("支出大于收入", "cost above income"), fails);
        let column = self.column("cost_check");
        let detail = RuleDetail::Check(Check {
            fails: column,
            at_import: true,
            action: Action::Warn,
            message: Text::new(
                "支出 {cost} 大于收入 {production}",
                "cost {cost} is above income {production}",
            ),
            mend: Some(self.column("cost")),
        });
        let rule = self.build.rule(
            "cost_check",
            ("支出核对", "Cost check"),
            RuleKind::Check,
            &[],
            detail,
            &[column],
        );
        self.rules.insert("cost_check", rule);
    }

    /// One village, one household with its persons and their stays, as recorded in a workbook.
    pub fn facts(
        &self,
        household: &[(&str, Value)],
        persons: &[(&str, &str)],
        stays: &[(&str, &str, i128)],
    ) -> Facts {
        let mut builder = FactsBuilder::new(self.program());
        let via = |edge: usize| self.program().edges[edge].via;
        let source = |sheet: &str, row| Provenance {
            file: "户.xlsx".to_owned(),
            sheet: Some(sheet.to_owned()),
            row: Some(row),
            recorded: Some(date("2015-06-01")),
        };
        let fields = |fields: &[(&str, Value)]| {
            fields.iter().map(|(name, value)| (self.column(name), Some(value.clone()))).collect::<Vec<_>>()
        };
        builder.record(self.village, "V1", fields(&[("road", Value::Bool(false))]));
        let mut own = fields(household);
        own.push((via(0), Some(text("V1"))));
        builder.record(self.household, "H1", own);
        builder.provenance(self.household, 0, source("户", 5));
        for (index, (birth, labour)) in persons.iter().enumerate() {
            let mut own = vec![(via(1), Some(text("H1")))];
            own.extend((!birth.is_empty()).then(|| (self.column("birth"), Some(Value::Date(date(birth))))));
            own.extend((!labour.is_empty()).then(|| (self.column("labour"), Some(text(labour)))));
            let row = builder.record(self.person, &format!("P{}", index + 1), own);
            builder.provenance(self.person, row, source("人", 10 + row));
        }
        for (index, (person, discharged, bill)) in stays.iter().enumerate() {
            let own = vec![
                (via(2), Some(text(person))),
                (self.column("discharged"), Some(Value::Date(date(discharged)))),
                (self.column("bill"), Some(number(*bill))),
            ];
            builder.record(self.stay, &format!("S{}", index + 1), own);
        }
        builder.build()
    }
}

/// Wages, production and cost in fen.
pub(crate) fn incomes(wages: i128, production: i128, cost: i128) -> Vec<(&'static str, Value)> {
    vec![("wages", number(wages)), ("production", number(production)), ("cost", number(cost))]
}
