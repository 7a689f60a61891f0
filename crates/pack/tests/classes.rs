//! What kind of datum each column holds: recorded, named, copied, computed.

use std::path::Path;

use model::access::DataClass;
use pack::program::{ColumnId, Program};
use pack::{PackSource, compile};

const BASE: &str = include_str!("base.toml");

fn compiled(text: &str) -> Program {
    let source =
        PackSource { name: "sample".to_owned(), files: vec![("pack.toml".to_owned(), text.to_owned())] };
    compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)))
}

/// The base pack with fields of every class on a person, and variables over them.
fn with_variables(variables: &str) -> Program {
    let field = |id: &str, ty: &str, pii: &str| {
        format!(
            "[[entity.field]]\nid = \"{id}\"\nlabel = {{ zh = \"{id}\", en = \"{id}\" }}\ntype = \"{ty}\"\npii = \"{pii}\"\nform = \"card\"\n"
        )
    };
    let fields: String = [
        field("called", "text", "name"),
        field("cn", "text", "identity").replace("form =", "format = \"citizen-number\"\nform ="),
        field("ill", "bool", "health"),
        field("illness", "text", "health"),
        field("skill", "code(labour)", "health"),
        field("born_on", "date", "personal"),
        field("pension", "money", "personal").replace("form =", "range = [0, 100000]\nform ="),
        field("bonus", "money", "none").replace("form =", "range = [0, 100000]\nform ="),
    ]
    .concat();
    let sex = "[[list]]\nid = \"sex\"\nlabel = { zh = \"性别\", en = \"sex\" }\ncodes = [{ code = \"male\", zh = \"男\", en = \"male\" }, { code = \"female\", zh = \"女\", en = \"female\" }]\n";
    // A person's fields stand last, before the first parameter.
    let (entities, rest) = BASE.split_once("[[parameter]]").expect("the base pack has a parameter");
    compiled(&format!("{entities}{fields}{sex}[[parameter]]{rest}\n{variables}"))
}

fn class(program: &Program, entity: &str, name: &str) -> DataClass {
    let entity = program.entity_named(entity).expect("an entity");
    program.class(program.column_named(entity, name).expect("a column"))
}

#[test]
fn a_column_is_of_the_class_of_the_values_it_hands_on() {
    use DataClass::{Health, Identity, Name, Open, Personal};
    let cases: &[(&str, &str, &str, &str, DataClass)] = &[
        ("copied", "person", "text", "called", Name),
        ("a fallback", "person", "text", "coalesce(called, illness)", Health),
        ("a case by its values", "person", "text", "CASE WHEN bonus > 0 THEN called ELSE 'x' END", Name),
        ("a case not by its conditions", "person", "money", "CASE WHEN ill THEN 100 ELSE 200 END", Open),
        ("a birth date read off a number", "person", "date", "citizen_birth(cn)", Identity),
        ("the sex read off a number", "person", "code(sex)", "citizen_sex(cn)", Open),
        ("an age", "person", "count", "age(born_on, as_of)", Open),
        ("days since birth", "person", "count", "days_between(born_on, as_of)", Personal),
        ("a date moved", "person", "date", "add_days(born_on, 5)", Personal),
        ("a yes-or-no computed", "person", "bool", "illness = 'flu'", Open),
        ("a condition on a code", "person", "bool", "skill IN ('none')", Open),
        ("a yes-or-no copied", "person", "bool", "ill", Health),
        ("its opposite", "person", "bool", "NOT ill", Health),
        ("two at once", "person", "bool", "ill AND bonus > 0", Open),
        ("arithmetic", "person", "money", "pension + bonus", Personal),
        ("a comparison of numbers", "person", "bool", "pension > 100", Open),
        ("a count of others", "household", "count", "count(person) FILTER (WHERE person.ill)", Open),
        ("whether any", "household", "bool", "bool_or(person.ill)", Open),
        ("a sum of a household", "household", "money", "sum(person.pension)", Personal),
        ("the greatest", "household", "money", "max(person.pension)", Personal),
        ("a sum of a division", "village", "money", "sum(person.pension)", Open),
    ];
    let variables: String = cases
        .iter()
        .enumerate()
        .map(|(index, (title, on, ty, expr, _))| {
            format!(
                "[[variable]]\nid = \"v{index}\"\non = \"{on}\"\ntitle = {{ zh = \"{title}\", en = \"{title}\" }}\ntype = \"{ty}\"\nexpr = \"{expr}\"\n"
            )
        })
        .collect();
    let program = with_variables(&variables);
    for (index, (title, on, _, _, expected)) in cases.iter().enumerate() {
        assert_eq!(class(&program, on, &format!("v{index}")), *expected, "{title}");
    }
}

/// A pack may number persons by their citizen numbers; then everything that names a person is of that class.
#[test]
fn a_personal_key_makes_references_personal() {
    let key = "label = { zh = \"人编号\", en = \"number\" }";
    assert!(BASE.contains(key), "the base pack has a key of persons");
    let keyed = BASE.replace(key, &format!("{key}\npii = \"identity\""));
    let reference = "\n[[entity]]\nid = \"trip\"\nlabel = { zh = \"出行\", en = \"trip\" }\nkey = \"number\"\nparent = { entity = \"person\", via = \"traveller\", required = true }\nrows_max = 1000\n\
        [[entity.field]]\nid = \"number\"\nlabel = { zh = \"编号\", en = \"number\" }\ntype = \"text\"\nrequired = true\n\
        [[entity.field]]\nid = \"traveller\"\nlabel = { zh = \"出行人\", en = \"traveller\" }\ntype = \"text\"\nrequired = true\n";
    let program = compiled(&format!("{keyed}{reference}"));
    assert_eq!(class(&program, "person", "number"), DataClass::Identity);
    assert_eq!(class(&program, "trip", "traveller"), DataClass::Identity);
    assert_eq!(class(&program, "trip", "number"), DataClass::Open);
    let open = compiled(&format!("{BASE}{reference}"));
    assert_eq!(class(&open, "trip", "traveller"), DataClass::Open);
}

/// Every personal column of the shipped pack that is not recorded as such, so that a change of the pack or of the rule is
/// seen.
#[test]
fn what_is_personal_of_the_shipped_pack() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/sichuan-2015");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the pack is there") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path).expect("the file can be read")));
        }
    }
    let source = PackSource { name: "sichuan-2015".to_owned(), files };
    let program = compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)));
    let personal = (0..program.columns.len()).filter_map(|position| {
        let (id, column) = (ColumnId(position as u32), &program.columns[position]);
        let class = program.class(id);
        let entity = &program.entity(column.entity).name;
        (class.is_personal() && !column.is_hidden())
            .then(|| format!("{entity}.{} {}", column.name, class.as_str()))
    });
    insta::assert_snapshot!(personal.collect::<Vec<_>>().join("\n"));
}
