//! One bad pack for each kind of mistake: what the compiler says of it, with place and hint.

use pack::{Override, PackSource, compile};

const BASE: &str = include_str!("base.toml");

fn source(name: &str, extra: &str) -> PackSource {
    PackSource { name: name.to_owned(), files: vec![("extra.toml".to_owned(), extra.to_owned())] }
}

fn base() -> PackSource {
    PackSource { name: "base".to_owned(), files: vec![("base.toml".to_owned(), BASE.to_owned())] }
}

/// The messages for the base pack with `extra` as a second file.
fn messages(extra: &str) -> String {
    let mut pack = base();
    pack.files.push(("extra.toml".to_owned(), extra.to_owned()));
    match compile(&[pack], &[]) {
        Ok(_) => "no mistake found".to_owned(),
        Err(failure) => failure.render(false),
    }
}

fn on_household(expr: &str, ty: &str) -> String {
    format!(
        "[[variable]]\nid = \"x\"\non = \"household\"\ntitle = {{ zh = \"甲\", en = \"x\" }}\ntype = \"{ty}\"\nexpr = \"{expr}\"\n"
    )
}

fn field(lines: &str) -> String {
    format!(
        "[[entity]]\nid = \"plot\"\nlabel = {{ zh = \"地块\", en = \"plot\" }}\nkey = \"number\"\nparent = {{ entity = \"household\", via = \"household_number\" }}\n[[entity.field]]\nid = \"number\"\nlabel = {{ zh = \"号\", en = \"number\" }}\ntype = \"text\"\nrequired = true\n[[entity.field]]\nid = \"household_number\"\nlabel = {{ zh = \"户\", en = \"household\" }}\ntype = \"text\"\n[[entity.field]]\n{lines}\n"
    )
}

fn parameter(values: &str) -> String {
    format!(
        "[[parameter]]\nid = \"p\"\nlabel = {{ zh = \"参数\", en = \"p\" }}\ntype = \"money\"\nvalues = {values}\n"
    )
}

fn case(given: &str, expect: &str) -> String {
    format!("[[case]]\nname = \"a case\"\n{given}\n{expect}\n")
}

const NETWORK: &str = "from = \"household\"\nto = \"household\"\nclass = \"labour\"";

/// Persons join households, as roads would towns; and a hamlet with a field `x`.
fn network(lines: &str, field: &str) -> String {
    let text = |id: &str, more: &str| {
        format!(
            "[[entity.field]]\nid = \"{id}\"\nlabel = {{ zh = \"值\", en = \"{id}\" }}\ntype = \"text\"\n{more}\n"
        )
    };
    let field = if field.is_empty() {
        String::new()
    } else {
        format!(
            "[[entity.field]]\nid = \"x\"\nlabel = {{ zh = \"值\", en = \"x\" }}\nform = \"card\"\n{field}\n"
        )
    };
    format!(
        "[[entity]]\nid = \"hamlet\"\nlabel = {{ zh = \"组\", en = \"hamlet\" }}\nkey = \"number\"\nparent = {{ entity = \"village\", via = \"village_code\", required = true }}\n\
         refs = [{{ name = \"home\", entity = \"household\", via = \"home_number\" }}]\n{}{}{}{}{field}\
         [[variable]]\nid = \"people\"\non = \"hamlet\"\ntitle = {{ zh = \"人\", en = \"people\" }}\ntype = \"count\"\nexpr = \"1\"\n\
         [[network]]\nid = \"roads\"\nnodes = \"household\"\nedges = \"person\"\n{lines}\n",
        text("number", "required = true"),
        text("village_code", "required = true"),
        text("home_number", ""),
        text("seat", "form = \"card\""),
    )
}

fn asset(lines: &str) -> String {
    format!(
        "[[asset]]\nid = \"s\"\non = \"household\"\ntitle = {{ zh = \"资产\", en = \"s\" }}\ncite = [\"7.1\"]\n{lines}\n"
    )
}

fn scorecard(lines: &str) -> String {
    format!(
        "[[scorecard]]\nid = \"s\"\non = \"household\"\ntitle = {{ zh = \"考核\", en = \"s\" }}\ncite = [\"7.1\"]\n{lines}\n"
    )
}

/// A standard with a programme whose unit cost is a table over a list, or one value.
fn standard(lines: &str, table: bool) -> String {
    let cost = if table {
        "over = \"labour\"\nvalues = [{ from = 2015-01-01, value = { ordinary = 1, none = 2 }, source = \"assumed\" }]"
    } else {
        "values = [{ from = 2015-01-01, value = 1, source = \"assumed\" }]"
    };
    format!(
        "[[standard]]\nid = \"s\"\non = \"household\"\ntitle = {{ zh = \"丙\", en = \"s\" }}\ncite = [\"7.1\"]\n{lines}\n\
         [[programme]]\nid = \"p\"\ntitle = {{ zh = \"项目\", en = \"p\" }}\ncite = [\"7.1\"]\nunit = \"house\"\nunit_cost = \"c\"\n\
         [[parameter]]\nid = \"c\"\nlabel = {{ zh = \"单价\", en = \"c\" }}\ntype = \"money\"\n{cost}\n"
    )
}

const ROLES: &str = "[[role]]\nid = \"village\"\nlabel = { zh = \"村\", en = \"village\" }\nlevel = \"village\"\n\
                     [[role]]\nid = \"county\"\nlabel = { zh = \"县\", en = \"county\" }\nlevel = \"none\"\n";

/// A flow about households; each step is `id role` and further lines.
fn flow(steps: &[(&str, &str, &str)]) -> String {
    let mut text = format!(
        "{ROLES}[[flow]]\nid = \"f\"\non = \"household\"\nsheet = \"village\"\ntitle = {{ zh = \"戊\", en = \"f\" }}\ncite = [\"7.1\"]\nshows = [\"income\"]\n"
    );
    for (id, role, lines) in steps {
        text.push_str(&format!(
            "[[flow.step]]\nid = \"{id}\"\ntitle = {{ zh = \"步\", en = \"{id}\" }}\nrole = \"{role}\"\n{lines}\n"
        ));
    }
    text
}

const NOTICE: &str = "notice = { days = \"7 days\", places = [{ id = \"b\", zh = \"栏\", en = \"board\" }] }";

fn bad_flows() -> Vec<(&'static str, String)> {
    let objection = |upheld: &str, more: &str| {
        format!(
            "{NOTICE}\nobjection = {{ by = \"anyone\", answered_by = \"county\", effect = \"suspend\", upheld = \"{upheld}\"{more} }}"
        )
    };
    let proposes = ("a", "village", "proposes = true");
    vec![
        ("flow without an entity", flow(&[("a", "village", "")]).replace("on = \"household\"\n", "")),
        ("flow with a step that nothing leads to", flow(&[("a", "village", "next = \"c\""), ("b", "village", ""), ("c", "village", "")])),
        ("flow with a circle", flow(&[("a", "village", ""), ("b", "village", "next = \"c\""), ("c", "village", "next = \"b\"")])),
        ("flow with a step twice", flow(&[("a", "village", ""), ("a", "village", "")])),
        ("flow with an unknown role", flow(&[("a", "vilage", "")])),
        ("role that nobody holds", "[[role]]\nid = \"r\"\nlabel = { zh = \"乡\", en = \"r\" }\nlevel = \"township\"".to_owned()),
        ("role declared twice", format!("{ROLES}{ROLES}")),
        ("flow whose maker is the checker", flow(&[proposes, ("b", "village", "approves = true")])),
        ("flow whose maker answers objections", flow(&[("a", "county", "proposes = true"), ("b", "village", &objection("a", ""))])),
        ("flow whose surveyor decides", flow(&[proposes, ("b", "county", "investigators = 2"), ("c", "county", "approves = true")])),
        ("flow whose notice comes after the decision", flow(&[proposes, ("b", "county", "approves = true"), ("c", "village", NOTICE)])),
        ("flow whose condition comes too early", flow(&[("a", "village", "when = \"land > 0\"\nproposes = true"), ("b", "county", "approves = true\nrecords = [{ entity = \"household\", fields = { land = \"land\" } }]")])),
        ("flow whose objection leads to no step", flow(&[proposes, ("b", "village", &objection("survey", ""))])),
        ("flow whose objection leads on", flow(&[proposes, ("b", "village", &objection("c", "")), ("c", "village", "")])),
        ("flow that returns to a later step", flow(&[("a", "village", "returns = [\"b\"]"), ("b", "village", "")])),
        ("flow whose appeal skips steps", flow(&[("a", "village", "refuses = { appeal = { within = \"60 days\", to = \"b\" } }"), ("b", "village", "")])),
        ("flow with a quorum beyond all", flow(&[("a", "village", "vote = { quorum = \"3/2\", more_than = \"1/2\", of = \"present\" }")])),
        ("flow with a threshold beyond all", flow(&[("a", "village", "vote = { quorum = \"2/3\", at_least = 1.5, of = \"present\" }")])),
        ("flow that asks for more than all", flow(&[("a", "village", "vote = { quorum = \"2/3\", more_than = 1, of = \"present\" }")])),
        ("flow with a vote without a threshold", flow(&[("a", "village", "vote = { quorum = \"2/3\", of = \"present\" }")])),
        ("flow with a notice without days", flow(&[("a", "village", "notice = { places = [{ id = \"b\", zh = \"栏\", en = \"board\" }] }")])),
        ("flow with a notice of no days", flow(&[("a", "village", &NOTICE.replace("7 days", "0 days"))])),
        ("flow with a notice of days that are none", flow(&[("a", "village", &NOTICE.replace("7 days", "a week"))])),
        ("flow with a notice nowhere", flow(&[("a", "village", "notice = { days = \"7 days\" }")])),
        ("flow with an unknown parameter", flow(&[("a", "village", &NOTICE.replace("7 days", "param.lin days"))])),
        ("flow with days that are money", flow(&[("a", "village", "within = \"param.line working days\"")])),
        ("flow with a condition that is a number", flow(&[("a", "village", "when = \"members\"")])),
        ("flow with a condition on an unknown name", flow(&[("a", "village", "when = \"gurantee\"")])),
        ("flow that approves what nobody proposed", flow(&[("a", "village", ""), ("b", "county", "approves = true")])),
        ("flow that proposes nothing", flow(&[proposes, ("b", "county", "approves = true")]).replace("shows = [\"income\"]\n", "")),
        ("flow that reserves without approving", flow(&[proposes, ("b", "county", "reserves = { fund = \"x\", amount = \"income\", for = \"year\" }")])),
        ("flow that reserves a number of persons", flow(&[proposes, ("b", "county", "approves = true\nreserves = { fund = \"x\", amount = \"members\", for = \"year\" }")])),
        ("flow that writes what is no field", flow(&[proposes, ("b", "county", "approves = true\nrecords = [{ entity = \"household\", fields = { lnd = \"land\" } }]")])),
        ("flow that writes a record of another", flow(&[proposes, ("b", "county", "approves = true\nrecords = [{ entity = \"village\", fields = { ethnic = \"true\" } }]")])),
        ("flow that takes objections without a notice", flow(&[proposes, ("b", "village", "objection = { by = \"anyone\", answered_by = \"county\", effect = \"restart\", upheld = \"a\" }")])),
        ("flow with an effect that is none", flow(&[proposes, ("b", "village", &objection("a", "").replace("suspend", "pause"))])),
        ("fund that is not on the list", "[[benefit]]\nid = \"b\"\non = \"household\"\ntitle = { zh = \"乙\", en = \"b\" }\ncite = [\"7.1\"]\nwho = \"able = 0\"\namount = \"1\"\nevery = \"year\"\npaid_from = [\"ordinry\"]\n[pack]\nid = \"base\"\nversion = \"1\"\ntitle = { zh = \"样\", en = \"s\" }\nfunds = \"labour\"".to_owned()),
        ("funds that are no list", "[pack]\nid = \"base\"\nversion = \"1\"\ntitle = { zh = \"样\", en = \"s\" }\nfunds = \"labor\"".to_owned()),
    ]
}

const FUND: &str = "[[fund]]\nid = \"ml\"\ntitle = { zh = \"低保\", en = \"living\" }\npurposes = [\"living\"]\ncite = [\"7.1\"]\n";

/// A bank's files that can be used.
const LAYOUT: &str = r#"[[bank_layout]]
id = "bank"
title = { zh = "银行", en = "bank" }
match_by = ["number", "account"]
statuses = [{ code = "00", means = "delivered" }, { code = "01", means = "returned" }]
[bank_layout.payment]
encoding = "gbk"
delimiter = "|"
columns = [
  { field = "number", title = "No" },
  { field = "account", title = "Account" },
  { field = "amount", title = "Amount" },
]
totals = { place = "last", columns = [{ field = "sum", title = "Sum" }] }
[bank_layout.returns]
encoding = "gbk"
delimiter = "|"
columns = [
  { field = "number", title = "No" },
  { field = "account", title = "Account" },
  { field = "amount", title = "Amount" },
  { field = "date", title = "Day" },
  { field = "status", title = "Status" },
]
"#;

/// 2015-01-04 is a Sunday that is worked.
const CALENDAR: &str = "[[calendar]]\nyear = 2015\nreference = \"doc\"\nholidays = [2015-01-01, 2015-01-02]\nworking_weekends = [2015-01-04]\n";

fn bad_money_and_days() -> Vec<(&'static str, String)> {
    let layout = |from: &str, to: &str| {
        assert!(LAYOUT.contains(from), "{from}");
        LAYOUT.replacen(from, to, 1)
    };
    let calendar = |from: &str, to: &str| {
        assert!(CALENDAR.contains(from), "{from}");
        CALENDAR.replacen(from, to, 1)
    };
    let reserves = "approves = true\nreserves = { fund = \"mll\", amount = \"income\", for = \"year\" }";
    let reserving = flow(&[("a", "village", "proposes = true"), ("b", "county", reserves)]);
    vec![
        ("fund without a purpose", FUND.replace("[\"living\"]", "[]")),
        ("fund whose purposes are missing", FUND.replace("purposes = [\"living\"]\n", "")),
        ("fund with a key that is none", FUND.replace("purposes", "purpose")),
        ("fund with a title in one language", FUND.replace(", en = \"living\"", "")),
        ("fund whose id has a capital", FUND.replace("\"ml\"", "\"ML\"")),
        ("fund of an unknown clause", FUND.replace("7.1", "7.2")),
        ("fund declared twice", format!("{FUND}{FUND}")),
        ("flow that reserves from a fund that is not declared", format!("{FUND}{reserving}")),
        ("bank layout declared twice", format!("{LAYOUT}{LAYOUT}")),
        (
            "bank layout whose payments have no amount",
            layout("  { field = \"amount\", title = \"Amount\" },\n]\ntotals", "]\ntotals"),
        ),
        (
            "bank layout whose returns have no status",
            layout("  { field = \"status\", title = \"Status\" },\n", ""),
        ),
        (
            "bank layout with a column twice",
            layout(
                "  { field = \"number\", title = \"No\" },\n",
                "  { field = \"account\", title = \"No\" },\n",
            ),
        ),
        ("bank layout with an unknown field", layout("\"account\", title", "\"acount\", title")),
        ("bank layout with an unknown encoding", layout("\"gbk\"", "\"gb2312\"")),
        ("bank layout with a sum among the rows", layout("field = \"number\"", "field = \"sum\"")),
        (
            "bank layout with an account among the totals",
            layout("{ field = \"sum\", title = \"Sum\" }", "{ field = \"account\", title = \"Sum\" }"),
        ),
        ("bank layout of fixed width without widths", layout("delimiter = \"|\"\n", "")),
        (
            "bank layout with a width that is not needed",
            layout("title = \"No\" }", "title = \"No\", width = 8 }"),
        ),
        ("bank layout delimited by a Chinese comma", layout("delimiter = \"|\"", "delimiter = \"，\"")),
        (
            "bank layout with a constant without a text",
            layout("{ field = \"number\", title = \"No\" }", "{ field = \"constant\", title = \"No\" }"),
        ),
        (
            "bank layout with a day written as money",
            layout("title = \"Day\" }", "title = \"Day\", format = \"fen\" }"),
        ),
        ("bank layout that matches by nothing", layout("[\"number\", \"account\"]", "[]")),
        ("bank layout that matches by the day", layout("[\"number\", \"account\"]", "[\"date\"]")),
        (
            "bank layout that matches by what does not come back",
            layout("[\"number\", \"account\"]", "[\"name\"]"),
        ),
        ("bank layout with a status twice", layout("\"01\"", "\"00\"")),
        (
            "bank layout without a word for what comes back",
            layout(", { code = \"01\", means = \"returned\" }", ""),
        ),
        (
            "bank layout without returns",
            LAYOUT.split("[bank_layout.returns]").next().expect("a beginning").to_owned(),
        ),
        ("calendar with a Sunday off", calendar("2015-01-02", "2015-01-11")),
        ("calendar with a Monday worked in exchange", calendar("2015-01-04", "2015-01-05")),
        ("calendar with a day of another year", calendar("2015-01-02", "2016-01-01")),
        ("calendar with a day that does not exist", calendar("2015-01-02", "2015-02-30")),
        ("calendar with a day that is a text", calendar("2015-01-02", "\"2015-01-02\"")),
        ("calendar without its document", calendar("reference = \"doc\"\n", "")),
        ("calendar of a year that is none", calendar("2015", "20155")),
        (
            "calendars with a year missing between",
            format!(
                "{CALENDAR}{}",
                CALENDAR
                    .replace("2015", "2017")
                    .replace("2017-01-01, ", "")
                    .replace("2017-01-04", "2017-01-07")
            ),
        ),
    ]
}

fn bad_packs() -> Vec<(&'static str, String)> {
    let label = "label = { zh = \"值\", en = \"value\" }";
    vec![
        ("not toml", "[[variable]\nid = 1".to_owned()),
        ("unknown top level table", "[[benifit]]\nid = \"x\"".to_owned()),
        ("two mistakes are both reported", format!("{}{}", on_household("incme", "money"), on_household("members + income", "money").replace("\"x\"", "\"y\""))),
        ("missing key", "[[variable]]\nid = \"x\"\non = \"household\"\ntitle = { zh = \"甲\", en = \"x\" }\ntype = \"money\"".to_owned()),
        ("unknown key", on_household("income", "money") + "exprr = \"income\""),
        ("wrong type of a key", on_household("income", "money").replace("on = \"household\"", "on = 3")),
        ("bad identifier", on_household("income", "money").replace("id = \"x\"", "id = \"X 1\"")),
        ("identifier of the shape that the engine's own columns have", on_household("income", "money").replace("id = \"x\"", "id = \"income__1\"")),
        ("identifier that ends in an underscore", standard("parts = [{ title = { zh = \"甲\", en = \"a\" }, holds = \"income > 0\" }]", false).replace("id = \"s\"", "id = \"s_\"")),
        ("identifier that begins with an underscore", field(&format!("id = \"_row\"\n{label}\ntype = \"text\"\nform = \"card\""))),
        ("edge with a name of the engine's shape", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("entity = \"household\"", "name = \"home__1\", entity = \"household\"")),
        ("title in one language", on_household("income", "money").replace(", en = \"x\"", "")),
        ("empty translation", on_household("income", "money").replace("en = \"x\"", "en = \"\"")),
        ("unknown entity", on_household("income", "money").replace("\"household\"", "\"houshold\"")),
        ("unknown type", on_household("income", "monney")),
        ("unknown code list in a type", field(&format!("id = \"v\"\n{label}\ntype = \"code(labor)\"\nform = \"card\""))),
        ("unit that is not one", field(&format!("id = \"v\"\n{label}\ntype = \"quantity(Mu 2, 1)\"\nrange = [0, 1]\nform = \"card\""))),
        ("number without range", field(&format!("id = \"v\"\n{label}\ntype = \"count\"\nform = \"card\""))),
        ("range the wrong way round", field(&format!("id = \"v\"\n{label}\ntype = \"count\"\nrange = [5, 1]\nform = \"card\""))),
        ("range finer than the type", field(&format!("id = \"v\"\n{label}\ntype = \"count\"\nrange = [0.5, 1]\nform = \"card\""))),
        ("field that nothing uses", field(&format!("id = \"v\"\n{label}\ntype = \"count\"\nrange = [0, 1]"))),
        ("forbidden field by id", field(&format!("id = \"religion\"\n{label}\ntype = \"text\"\nform = \"card\""))),
        ("forbidden field by label", field("id = \"v\"\nlabel = { zh = \"政治面貌\", en = \"status\" }\ntype = \"text\"\nform = \"card\"")),
        ("forbidden field by alias", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\naliases = [\"民族\"]\nform = \"card\""))),
        ("field declared twice", field(&format!("id = \"number\"\n{label}\ntype = \"text\"\nform = \"card\""))),
        ("choice that is none", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\npii = \"idenity\"\nform = \"card\""))),
        ("key that is no field", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("key = \"number\"", "key = \"numbr\"")),
        ("key that may be unknown", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("key = \"number\"", "key = \"household_number\"")),
        ("edge to no entity", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("entity = \"household\"", "entity = \"hamlet\"")),
        ("edge over no field", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("via = \"household_number\"", "via = \"househld_number\"")),
        ("edge to a field that is not unique", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("via = \"household_number\"", "via = \"household_number\", on = \"village_code\"")),
        ("entity declared twice", field(&format!("id = \"v\"\n{label}\ntype = \"text\"\nform = \"card\"")).replace("\"plot\"", "\"person\"")),
        ("entities in a circle", "[[entity]]\nid = \"a\"\nlabel = { zh = \"甲\", en = \"a\" }\nkey = \"k\"\nparent = { entity = \"a\", via = \"k\" }\n[[entity.field]]\nid = \"k\"\nlabel = { zh = \"键\", en = \"k\" }\ntype = \"text\"\nrequired = true".to_owned()),
        ("list without codes", "[[list]]\nid = \"l\"\nlabel = { zh = \"表\", en = \"l\" }\ncodes = []".to_owned()),
        ("code twice in a list", "[[list]]\nid = \"l\"\nlabel = { zh = \"表\", en = \"l\" }\ncodes = [{ code = \"a\", zh = \"甲\", en = \"a\" }, { code = \"a\", zh = \"乙\", en = \"b\" }]".to_owned()),
        ("list declared twice", "[[list]]\nid = \"labour\"\nlabel = { zh = \"表\", en = \"l\" }\ncodes = [{ code = \"a\", zh = \"甲\", en = \"a\" }]".to_owned()),
        ("parameter without values", parameter("[]")),
        ("official value without reference", parameter("[{ from = 2015-01-01, value = 1, source = \"official\" }]")),
        ("source that is none", parameter("[{ from = 2015-01-01, value = 1, source = \"guess\" }]")),
        ("two values in force at once", parameter("[{ from = 2015-01-01, until = 2016-01-01, value = 1, source = \"assumed\" }, { from = 2015-06-01, value = 2, source = \"assumed\" }]")),
        ("value finer than a fen", parameter("[{ from = 2015-01-01, value = 1.005, source = \"assumed\" }]")),
        ("value of another type", parameter("[{ from = 2015-01-01, value = \"viel\", source = \"assumed\" }]")),
        ("parameter declared twice", parameter("[{ from = 2015-01-01, value = 1, source = \"assumed\" }]").replace("\"p\"", "\"line\"")),
        ("override of nothing", parameter("[{ from = 2015-01-01, value = 1, source = \"assumed\" }]") + "override = true"),
        ("table that lacks a code", "[[parameter]]\nid = \"p\"\nlabel = { zh = \"参数\", en = \"p\" }\ntype = \"money\"\nover = \"labour\"\nvalues = [{ from = 2015-01-01, value = { ordinary = 1 }, source = \"assumed\" }]".to_owned()),
        ("table with a code too many", "[[parameter]]\nid = \"p\"\nlabel = { zh = \"参数\", en = \"p\" }\ntype = \"money\"\nover = \"labour\"\nvalues = [{ from = 2015-01-01, value = { ordinary = 1, none = 2, nnone = 3 }, source = \"assumed\" }]".to_owned()),
        ("brackets that fall", "[[parameter]]\nid = \"p\"\nlabel = { zh = \"参数\", en = \"p\" }\ntype = \"rate\"\nbrackets = \"money\"\nvalues = [{ from = 2015-01-01, value = [{ from = 0, rate = 0.5 }, { from = 0, rate = 0.6 }], source = \"assumed\" }]".to_owned()),
        ("not an expression", on_household("income +", "money")),
        ("expression with something after it", on_household("income; DROP TABLE household", "money")),
        ("whole query", on_household("(SELECT max(income) FROM household)", "money")),
        ("unknown name", on_household("incom", "money")),
        ("name of another entity", on_household("wage", "money")),
        ("name of a parameter", on_household("line", "money")),
        ("unknown parent", on_household("town.code", "text")),
        ("child used like a parent", on_household("person.wage", "money")),
        ("unknown children", on_household("sum(persn.wage)", "money")),
        ("bare name inside an aggregate", on_household("count(person) FILTER (WHERE labour = 'none')", "count")),
        ("aggregate without children", on_household("sum(income)", "money")),
        ("sum of a text", on_household("sum(person.note)", "money")),
        ("average", on_household("avg(person.wage)", "money")),
        ("aggregate inside an aggregate", on_household("sum(person.wage + count(person))", "money")),
        ("unknown parameter", on_household("param.lin", "money")),
        ("table without its key", on_household("param.share * income", "money")),
        ("scale used like a value", on_household("param.scale * income", "money")),
        ("bracket over a single value", on_household("bracket(param.line, income)", "money")),
        ("money plus a count", on_household("income + members", "money")),
        ("money times money", on_household("income * param.line", "money")),
        ("money compared with land", on_household("income < land", "bool")),
        ("literal finer than a fen", on_household("income + 0.001", "money")),
        ("condition where a number is wanted", on_household("income > 0", "money")),
        ("number where a condition is wanted", on_household("CASE WHEN members THEN 1 ELSE 0 END", "count")),
        ("results of different types", on_household("CASE WHEN members > 1 THEN income ELSE members END", "money")),
        ("unknown code", on_household("count(person) FILTER (WHERE person.labour = 'ordinry')", "count")),
        ("label instead of a code", on_household("count(person) FILTER (WHERE person.labour = '无劳动力')", "count")),
        ("codes have no order", on_household("count(person) FILTER (WHERE person.labour < 'none')", "count")),
        ("day that does not exist", on_household("registered_on < DATE '2015-02-30'", "bool")),
        ("unknown function", on_household("grreatest(income, 0)", "money")),
        ("clock of the machine", on_household("days_between(registered_on, now())", "count")),
        ("wrong number of arguments", on_household("days_between(registered_on)", "count")),
        ("cast", on_household("CAST(members AS INT)", "count")),
        ("pattern", on_household("number LIKE '5%'", "bool")),
        ("modulo", on_household("members % 2", "count")),
        ("double quoted text", on_household("number = \\\"a\\\"", "bool")),
        ("exponent", on_household("income + 1e3", "money")),
        ("division by a constant zero", on_household("income / 0", "money")),
        ("too many decimals for the type", on_household("members / 3", "count")),
        ("variable that needs itself", on_household("y + 1", "count") + &on_household("x + 1", "count").replace("id = \"x\"", "id = \"y\"")),
        ("overflow", on_household("sum(person.wage) * 1000000000 * 1000000000 * 1000000000", "money")),
        ("window without a parent", on_household("row_number() OVER (ORDER BY number)", "count")),
        ("window frame that looks ahead", on_household("sum(income) OVER (PARTITION BY village ORDER BY number ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)", "money")),
        ("rule declared twice", on_household("income", "money") + &on_household("income", "money")),
        ("rule named like a field", on_household("members", "count").replace("id = \"x\"", "id = \"income\"")),
        ("unknown clause", on_household("income", "money") + "cite = [\"7.9\"]"),
        ("benefit without a citation", "[[benefit]]\nid = \"b\"\non = \"household\"\ntitle = { zh = \"乙\", en = \"b\" }\nwho = \"able = 0\"\namount = \"1\"\nevery = \"year\"".to_owned()),
        ("benefit without amount or goods", "[[benefit]]\nid = \"b\"\non = \"household\"\ntitle = { zh = \"乙\", en = \"b\" }\ncite = [\"7.1\"]\nwho = \"able = 0\"\nevery = \"year\"".to_owned()),
        ("benefit paid every fortnight", "[[benefit]]\nid = \"b\"\non = \"household\"\ntitle = { zh = \"乙\", en = \"b\" }\ncite = [\"7.1\"]\nwho = \"able = 0\"\namount = \"1\"\nevery = \"fortnight\"".to_owned()),
        ("benefit of an unknown flow", "[[benefit]]\nid = \"b\"\non = \"household\"\ntitle = { zh = \"乙\", en = \"b\" }\ncite = [\"7.1\"]\nwho = \"able = 0\"\namount = \"1\"\nevery = \"year\"\nflow = \"approval\"".to_owned()),
        ("standard with an unknown remedy", "[[standard]]\nid = \"s\"\non = \"village\"\ntitle = { zh = \"丙\", en = \"s\" }\ncite = [\"7.1\"]\nholds = \"ethnic\"\nremedy = { programme = \"road\", quantity = \"1\" }".to_owned()),
        ("standard with a share over one", "[[standard]]\nid = \"s\"\non = \"village\"\ntitle = { zh = \"丙\", en = \"s\" }\ncite = [\"7.1\"]\nholds = \"ethnic\"\ntarget = { share = 100, by = 2020 }".to_owned()),
        ("standard whose unit cost needs a choice", standard("holds = \"income > 0\"\nremedy = { programme = \"p\", quantity = \"1\" }", true)),
        ("standard that chooses by another list", standard("holds = \"income > 0\"\nremedy = { programme = \"p\", quantity = \"1\", by = \"income > 0\" }", true)),
        ("standard that chooses where there is one cost", standard("holds = \"income > 0\"\nremedy = { programme = \"p\", quantity = \"1\", by = \"number\" }", false)),
        ("rule named like a standard's share at a division", standard("holds = \"income > 0\"", false) + &on_household("count(household)", "count").replace("\"household\"", "\"village\"").replace("\"x\"", "\"s_share\"")),
        ("scorecard without items", scorecard("items = []")),
        ("scorecard whose weights do not add up", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 0.4, score = \"members\" }, { id = \"b\", title = { zh = \"乙\", en = \"b\" }, weight = 0.5, score = \"members\" }]")),
        ("scorecard with weights beyond one", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 0.9, score = \"members\" }, { id = \"b\", title = { zh = \"乙\", en = \"b\" }, weight = 0.8, score = \"members\" }, { id = \"c\", title = { zh = \"丙\", en = \"c\" }, weight = 0.1, score = \"members\" }]")),
        ("scorecard with a weight in percent", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 100, score = \"members\" }]")),
        ("scorecard with points that are money", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 1, score = \"income\" }]")),
        ("scorecard with points beyond all bounds", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 1, score = \"101\" }]")),
        ("scorecard item without a weight", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, score = \"members\" }]")),
        ("scorecard item twice", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 0.5, score = \"1\" }, { id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 0.5, score = \"1\" }]")),
        ("scorecard ranked among no siblings", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 1, score = \"1\" }]\nrank_within = \"town\"")),
        ("scorecard with a veto that is a number", scorecard("items = [{ id = \"a\", title = { zh = \"甲\", en = \"a\" }, weight = 1, score = \"1\" }]\nveto = [{ when = \"members\", title = { zh = \"否\", en = \"no\" } }]")),
        ("network whose edges may lack an end", network("from = \"home\"\nto = \"home\"\nclass = \"x\"", "type = \"code(labour)\"").replace("edges = \"person\"", "edges = \"hamlet\"")),
        ("network whose end is no reference", network("from = \"number\"\nto = \"home\"\nclass = \"labour\"", "")),
        ("network whose class is no code", network("from = \"household\"\nto = \"household\"\nclass = \"wage\"", "")),
        ("network open by what is computed", network("from = \"household\"\nto = \"household\"\nclass = \"labour\"\nopen = \"household.members > 1\"", "")),
        ("field derived from an unknown network", network(NETWORK, "type = \"bool\"\nderived = { network = \"raods\", function = \"connected\", from = \"seat\", to = \"seat\" }")),
        ("field derived by an unknown function", network(NETWORK, "type = \"bool\"\nderived = { network = \"roads\", function = \"conected\", from = \"seat\", to = \"seat\" }")),
        ("field derived with another type", network(NETWORK, "type = \"count\"\nrange = [0, 9]\nderived = { network = \"roads\", function = \"best_worst_class\", from = \"seat\", to = \"seat\" }")),
        ("field derived from no second node", network(NETWORK, "type = \"bool\"\nderived = { network = \"roads\", function = \"connected\", from = \"seat\" }")),
        ("field derived from an unknown field", network(NETWORK, "type = \"bool\"\nderived = { network = \"roads\", function = \"connected\", from = \"seat\", to = \"town.seat\" }")),
        ("field derived within what nodes do not name", network(NETWORK, "type = \"count\"\nrange = [0, 9]\nderived = { network = \"roads\", function = \"edge_disjoint_paths\", from = \"seat\", within = \"hamlet\" }")),
        ("field derived with a key of another function", network(NETWORK, "type = \"bool\"\nderived = { network = \"roads\", function = \"connected\", from = \"seat\", to = \"seat\", at_least = \"ordinary\" }")),
        ("field derived from an unknown class", network(NETWORK, "type = \"count\"\nrange = [0, 9]\nderived = { network = \"roads\", function = \"edge_disjoint_paths\", from = \"seat\", within = \"village\", at_least = \"ordinry\" }")),
        ("derived field that is required", network(NETWORK, "type = \"bool\"\nrequired = true\nderived = { network = \"roads\", function = \"connected\", from = \"seat\", to = \"seat\" }")),
        ("field derived from an unknown result", network(NETWORK, "type = \"bool\"\nderived = { previous_run = \"guarante\" }")),
        ("field derived from a result of another type", network(NETWORK, "type = \"bool\"\nderived = { previous_run = \"people\" }")),
        ("case that gives a derived fact", network(NETWORK, "type = \"bool\"\nderived = { network = \"roads\", function = \"connected\", from = \"seat\", to = \"seat\" }") + &case("given.hamlet.h = { x = true }", "expect.hamlet.h = { people = 1 }")),
        ("asset without holders", asset("amount = \"income\"\nweight = \"wage\"")),
        ("asset held by no children", asset("holders = \"village\"\namount = \"income\"\nweight = \"1\"")),
        ("asset whose amount is no money", asset("holders = \"person\"\namount = \"members\"\nweight = \"wage\"")),
        ("asset with a weight that may be negative", asset("holders = \"person\"\namount = \"income\"\nweight = \"wage - 100\"")),
        ("asset with a weight that is a text", asset("holders = \"person\"\namount = \"income\"\nweight = \"note\"")),
        ("check that refuses after import", "[[check]]\nid = \"c\"\non = \"household\"\ntitle = { zh = \"丁\", en = \"c\" }\nfails = \"income < 0\"\naction = \"refuse\"\nmessage = { zh = \"负\", en = \"negative\" }".to_owned()),
        ("message with an unknown name", "[[check]]\nid = \"c\"\non = \"household\"\ntitle = { zh = \"丁\", en = \"c\" }\nfails = \"income < 0\"\nmessage = { zh = \"{incme}\", en = \"negative\" }".to_owned()),
        ("flow without steps", "[[flow]]\nid = \"f\"\ntitle = { zh = \"戊\", en = \"f\" }\non = \"household\"\ncite = [\"7.1\"]\nstep = []".to_owned()),
        ("principle without a reason", "[[clause]]\nid = \"24.1\"\nkind = \"principle\"\nsummary = { zh = \"中心\", en = \"centre\" }".to_owned()),
        ("clause declared twice", "[[clause]]\nid = \"7.1\"\nkind = \"benefit\"\nsummary = { zh = \"保障\", en = \"guarantee\" }".to_owned()),
        ("total of two kinds", "[[total]]\nid = \"t\"\ntitle = { zh = \"计\", en = \"t\" }\non = \"household\"\ncount = true\nsum = \"income\"".to_owned()),
        ("seed of an unknown entity", "[[seed]]\nentity = \"persn\"\nfile = \"data/persons.csv\"".to_owned()),
        ("seed outside the pack", "[[seed]]\nentity = \"person\"\nfile = \"../persons.csv\"".to_owned()),
        ("seed without a file", "[[seed]]\nentity = \"person\"".to_owned()),
        ("case with an unknown fact", case("given.household.h = { incme = 1 }", "expect.household.h = { guarantee = true }")),
        ("case that gives a result", case("given.household.h = { guarantee = true }", "expect.household.h = { guarantee = true }")),
        ("case with an unknown result", case("given.household.h = { income = 1 }", "expect.household.h = { guarntee = true }")),
        ("case about a record it does not give", case("given.household.h = { income = 1 }", "expect.household.g = { guarantee = true }")),
        ("case linked to a record it does not give", case("given.household.h = { income = 1 }\ngiven.person.p = { household = \"g\" }", "expect.household.h = { guarantee = true }")),
        ("case outside the range", case("given.household.h = { income = 99000000 }", "expect.household.h = { guarantee = true }")),
        ("case with a float finer than a fen", case("given.household.h = { income = 0.001 }", "expect.household.h = { guarantee = true }")),
    ]
}

#[test]
fn the_base_pack_compiles() {
    let program = compile(&[base()], &[]).expect("the base pack has no mistake");
    assert_eq!(program.entities.len(), 3);
    assert!(program.rules.iter().any(|rule| rule.id == "guarantee"));
}

#[test]
fn every_bad_pack_is_told_what_where_and_how() {
    let mut report = String::new();
    let packs = bad_packs();
    assert!(packs.len() >= 60);
    for (name, extra) in packs {
        let text = messages(&extra);
        assert!(text.starts_with("error[") || text.starts_with("error:"), "{name}: {text}");
        assert!(text.contains(".toml:"), "{name} has no place: {text}");
        report.push_str(&format!("=== {name}\n{}\n\n", text.trim_end()));
    }
    insta::assert_snapshot!("bad_packs", report);
}

#[test]
fn every_bad_flow_is_told_what_where_and_how() {
    let mut report = String::new();
    for (name, extra) in bad_flows() {
        let text = messages(&extra);
        assert_ne!(text, "no mistake found", "{name}");
        report.push_str(&format!("=== {name}\n{}\n\n", text.trim_end()));
    }
    insta::assert_snapshot!("bad_flows", report);
}

#[test]
fn bad_funds_bank_layouts_and_calendars_are_told_what_where_and_how() {
    assert_eq!(messages(&format!("{FUND}{LAYOUT}{CALENDAR}")), "no mistake found");
    let mut report = String::new();
    for (name, extra) in bad_money_and_days() {
        let text = messages(&extra);
        // TOML's own reader says what it expected in place of a hint.
        let toml = text.starts_with("error[syntax]") || text.starts_with("error[toml]");
        let said = text.starts_with("error[") && text.contains("extra.toml:");
        assert!(said && (toml || text.contains("help: ")), "{name}: {text}");
        report.push_str(&format!("=== {name}\n{}\n\n", text.trim_end()));
    }
    insta::assert_snapshot!("bad_money_and_days", report);
}

#[test]
fn a_flow_without_a_mistake_compiles() {
    let objection = "objection = { by = \"anyone\", answered_by = \"county\", within = \"5 working days\", effect = \"separate\", upheld = \"a\" }";
    let text = flow(&[
        ("a", "village", "proposes = true"),
        ("b", "village", &format!("{NOTICE}\n{objection}")),
        (
            "c",
            "county",
            "when = \"guarantee\"\napproves = true\nrefuses = { within = \"3 working days\", appeal = { within = \"60 days\", to = \"a\" } }",
        ),
    ]);
    assert_eq!(messages(&text), "no mistake found");
}

#[test]
fn an_expression_too_deep_for_the_stack_is_refused() {
    let chain = vec!["old"; 100_000].join(" OR ");
    let nested = format!("{}income > 0{}", "(NOT ".repeat(10_000), ")".repeat(10_000));
    let cases = format!("{}0{}", "CASE WHEN income > 0 THEN ".repeat(10_000), " END".repeat(10_000));
    for (expr, ty) in
        [(chain, "bool"), (nested, "bool"), (cases, "money"), ("- ".repeat(10_000) + "income", "money")]
    {
        let text = messages(&on_household(&expr, ty));
        assert!(text.contains("error[too-long]") && text.contains("extra.toml:"), "{}", &text[..200]);
    }
    let parens = format!("{}income > 0{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(messages(&on_household(&parens, "bool")).contains("error[syntax]"));
    let long = ["income > 0"; 64].join(" OR ");
    assert_eq!(messages(&on_household(&long, "bool")), "no mistake found");
}

/// A duty on households with further lines.
fn duty(lines: &str) -> String {
    format!(
        "[[duty]]\nid = \"d\"\non = \"household\"\ntitle = {{ zh = \"己\", en = \"d\" }}\ncite = [\"7.1\"]\nwho = {{ zh = \"乡\", en = \"w\" }}\nowed = \"able = 0\"\nmet = \"income > 0\"\n{lines}\n"
    )
}

fn benefit(lines: &str) -> String {
    format!(
        "[[benefit]]\nid = \"b\"\non = \"household\"\ntitle = {{ zh = \"庚\", en = \"b\" }}\ncite = [\"7.1\"]\nwho = \"able = 0\"\nevery = \"year\"\n{lines}\n"
    )
}

const PARTS: &str =
    "[[clause_parts]]\nclause = \"7.1\"\nparts = [{ needs = [\"computed\"], zh = \"一\", en = \"one\" }]\n";

#[test]
fn mistakes_of_duties_payments_and_parts_are_told_with_their_mending() {
    let check = |text: &str, said: &[&str]| {
        let found = messages(text);
        for words in said {
            assert!(found.contains(words), "{text}\n{found}");
        }
    };
    check(&duty("due = \"income\""), &["error[type-mismatch]", "expected date, found money"]);
    check(&duty("due = \"02-30\""), &["expected date"]);
    check(&duty("met_on = \"registered_on\""), &["nothing says when it is due", "add `due"]);
    check(&duty("due = \"12-31\"\nmet_on = \"registered_on\""), &["no mistake found"]);
    let list = "[[list]]\nid = \"duty_state\"\nlabel = { zh = \"甲\", en = \"l\" }\ncodes = [{ code = \"a\", zh = \"甲\", en = \"a\" }]\n";
    check(&format!("{list}{}", duty("")), &["the language has a list `duty_state` of its own"]);
    let paid = "paid = { amount = \"person.wage\", on = \"person.household.registered_on\" }";
    check(&benefit(&format!("amount = \"5\"\n{paid}")), &["no mistake found"]);
    check(&benefit("amount = \"5\"\nowed = \"6\""), &["nothing says what they are", "add `paid"]);
    check(&benefit("amount = \"5\"\npaid = { amount = \"person.wage\" }"), &["`on`"]);
    check(
        &benefit(&format!("goods = {{ zh = \"房\", en = \"house\" }}\n{paid}")),
        &["payments are held against the amount of a benefit, and this one has none"],
    );
    let cites =
        |part: &str| on_household("able", "count").replace("on = ", &format!("cite = [\"{part}\"]\non = "));
    check(&cites("7.1/1"), &["clause `7.1` has no part `1`", "declare its parts with `[[clause_parts]]`"]);
    check(&format!("{PARTS}{}", cites("7.1/2")), &["clause `7.1` has no part `2`", "`7.1/1` to `7.1/1`"]);
    check(&format!("{PARTS}{}", cites("7.1/1")), &["no mistake found"]);
    check(&format!("{PARTS}{PARTS}"), &["parts of clause `7.1` is declared twice"]);
    check(&PARTS.replace("computed", "computd"), &["did you mean `computed`"]);
    check(&PARTS.replace("7.1", "7.2"), &["there is no clause `7.2`"]);
    check(&cites("basic-income"), &["`basic-income` is not a clause id", "numbers with dots"]);
    check(&on_household("15% * income", "money"), &["`15%` is written as the rate 0.15"]);
    check(&on_household("income > 0 || able > 0", "bool"), &["write `OR`"]);
    check(&on_household("max(income, 5)", "money"), &["`greatest(a, b)`"]);
    let faulty = format!(
        "{}{}",
        parameter("[{ from = 2015-01-01, value = \"x\", source = \"assumed\" }]"),
        on_household("param.p", "money")
    );
    assert!(!messages(&faulty).contains("there is no parameter"), "{}", messages(&faulty));
    let judgement = |lines: &str| {
        field("id = \"day\"\nlabel = { zh = \"日\", en = \"day\" }\ntype = \"date\"")
            .replace("key = \"number\"", &format!("key = \"number\"\njudgement = {lines}"))
    };
    check(&judgement("{ by = \"number\", on = \"day\", evidence = \"number\" }"), &["no mistake found"]);
    check(
        &judgement("{ by = \"number\", on = \"number\", evidence = \"nmber\" }"),
        &["a date", "`plot` has no field `nmber`"],
    );
    check(&on_household("bracket(param.scale, at(income, registered_on))", "money"), &["error"]);
    check(&on_household("bracket(at(param.scale, income), income)", "money"), &["expected date"]);
}

#[test]
fn a_conflict_between_packs_shows_both_places() {
    let overlay = source(
        "county",
        "[[parameter]]\nid = \"line\"\nlabel = { zh = \"线\", en = \"line\" }\ntype = \"money\"\nvalues = [{ from = 2015-01-01, value = 3000, source = \"assumed\" }]\n",
    );
    let failure = compile(&[base(), overlay], &[]).expect_err("the parameter stands in both packs");
    insta::assert_snapshot!("conflict_between_packs", failure.render(false));
}

#[test]
fn an_overlay_that_says_so_replaces_values_and_rules() {
    let overlay = source(
        "county",
        "[[parameter]]\nid = \"line\"\noverride = true\nvalues = [{ from = 2015-07-01, value = 3000, source = \"official\", reference = \"county\" }]\n\
         [[variable]]\nid = \"members\"\noverride = true\non = \"household\"\ntitle = { zh = \"人数\", en = \"members\" }\ntype = \"count\"\nexpr = \"count(person) FILTER (WHERE person.labour = 'ordinary')\"\n",
    );
    let program = compile(&[base(), overlay], &[]).expect("the overlay says that it overrides");
    let line = program.parameter_named("line").expect("the parameter is there");
    let pack::program::ParameterShape::Scalar(values) = &line.shape else { panic!("a single value") };
    let dates: Vec<String> =
        values.iter().map(|dated| format!("{} {:?} {:?}", dated.from, dated.until, dated.value)).collect();
    assert_eq!(dates, ["2015-01-01 Some(2015-07-01) Number(285500)", "2015-07-01 None Number(300000)"]);
}

#[test]
fn an_overlay_adds_fields_to_an_entity_and_no_other_pack_does() {
    let entity = |lines: &str| {
        format!(
            "[[entity]]\nid = \"household\"\n{lines}\n[[entity.field]]\nid = \"ill\"\nlabel = {{ zh = \"病\", en = \"ill\" }}\ntype = \"bool\"\n"
        )
    };
    let ill = on_household("NOT ill", "bool");
    let overlay =
        source("county", &format!("{}{ill}", entity("override = true\ncase_default = { ill = true }")));
    let program =
        compile(&[base(), overlay], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)));
    let household = program.entity_named("household").expect("the entity is there");
    assert!(
        program.column_named(household, "ill").is_some()
            && program.column_named(household, "income").is_some()
    );
    let render = |packs: &[PackSource]| compile(packs, &[]).expect_err("a mistake").render(false);
    let silent = source("county", &entity("label = { zh = \"户\", en = \"household\" }"));
    assert!(render(&[base(), silent]).contains("says `override = true`"));
    let again = source("county", &entity("override = true").replace("\"ill\"", "\"income\""));
    assert!(render(&[base(), again]).contains("income"));
    let nothing = source("county", &entity("override = true").replace("household", "hamlet"));
    assert!(render(&[base(), nothing]).contains("`hamlet` overrides nothing"));
}

#[test]
fn a_value_given_for_one_run_replaces_all_dates() {
    let change = Override { parameter: "line".to_owned(), value: "3000.5".to_owned() };
    let program = compile(&[base()], &[change]).expect("the value fits");
    let line = program.parameter_named("line").expect("the parameter is there");
    let pack::program::ParameterShape::Scalar(values) = &line.shape else { panic!("a single value") };
    assert_eq!(values[0].value, pack::program::Value::Number(300_050));
    let wrong = Override { parameter: "lne".to_owned(), value: "1".to_owned() };
    let failure = compile(&[base()], &[wrong]).expect_err("no such parameter");
    assert!(failure.render(false).contains("did you mean `param.line`"));
}

#[test]
fn how_much_must_be_known_is_from_half_to_all() {
    let check = |line: &str, expected: Result<u8, &str>| {
        let text = BASE.replacen("[pack]\n", &format!("[pack]\n{line}\n"), 1);
        let pack = PackSource { name: "base".to_owned(), files: vec![("base.toml".to_owned(), text)] };
        match (compile(&[pack], &[]), expected) {
            (Ok(program), Ok(percent)) => assert_eq!(program.info.known_percent_min, percent, "{line}"),
            (Err(failure), Err(said)) => {
                assert!(failure.render(false).contains(said), "{}", failure.render(false));
            }
            (Ok(_), Err(_)) => panic!("{line} is accepted"),
            (Err(failure), Ok(_)) => panic!("{line}: {}", failure.render(false)),
        }
    };
    check("", Ok(95));
    check("known_percent_min = 50", Ok(50));
    check("known_percent_min = 100", Ok(100));
    check("known_percent_min = 49", Err("`known_percent_min` is 49, and must be from 50 to 100"));
    check("known_percent_min = 101", Err("must be from 50 to 100"));
}

#[test]
fn the_rows_of_a_report_are_a_condition_of_its_entity() {
    let report = |rows: &str| {
        messages(&format!(
            "[[report]]\nid = \"l\"\non = \"village\"\ntitle = {{ zh = \"表\", en = \"list\" }}\n\
             columns = [\"village.code\"]\nrows = \"{rows}\"\n"
        ))
    };
    assert_eq!(report("NOT ethnic"), "no mistake found");
    assert!(report("code").contains("`rows` names `code`, which is not yes or no"), "{}", report("code"));
    assert!(report("nobody").contains("nobody"), "{}", report("nobody"));
}
