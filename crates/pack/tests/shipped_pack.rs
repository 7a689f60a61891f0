//! The pack that is shipped compiles, and its procedures are whole.

use std::path::Path;

use model::flow::{Effect, Outcome, Quantity, Target};
use pack::program::{Flow, Program, RuleDetail, RuleKind};
use pack::{PackSource, compile};

fn program() -> Program {
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
    compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)))
}

fn flow<'p>(program: &'p Program, id: &str) -> &'p Flow {
    let rule = program.rule_named(id).expect("the flow is declared");
    let RuleDetail::Flow(flow) = &rule.detail else { panic!("`{id}` is no flow") };
    flow
}

#[test]
fn all_procedures_of_the_pack_are_typed() {
    let program = program();
    let flows: Vec<_> = program.rules.iter().filter(|rule| rule.kind == RuleKind::Flow).collect();
    assert_eq!(flows.len(), 14);
    for rule in flows {
        let flow = flow(&program, &rule.id);
        assert_eq!(flow.machine.version, program.digest);
        assert!(flow.machine.steps.len() >= 3, "{}", rule.id);
        // An expression of the machine is a column of the program.
        assert!(flow.columns.iter().all(|column| column.index() < program.columns.len()));
    }
}

#[test]
fn the_minimum_living_guarantee_goes_through_its_steps_of_2017() {
    let program = program();
    let flow = flow(&program, "minimum-living-guarantee");
    let machine = &flow.machine;
    let steps: Vec<&str> = machine.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(
        steps,
        [
            "application",
            "survey",
            "appraisal",
            "village-notice",
            "township-review",
            "county-sample",
            "county-notice",
            "county-approval",
            "announcement"
        ]
    );
    let [_, survey, appraisal, notice, _, sample, county, approval, last] = machine.steps.as_slice() else {
        panic!("there are nine steps")
    };
    assert_eq!(survey.investigators, 2);
    let vote = appraisal.vote.as_ref().expect("the village votes");
    assert_eq!(vote.lost, Target::End(Outcome::Refused));
    let objection = notice.objection.as_ref().expect("anyone may object");
    assert_eq!(objection.effect, Effect::Separate);
    assert_eq!(machine.steps[objection.upheld.index()].id, "survey");
    let Quantity::Parameter(days) = notice.notice.as_ref().expect("it hangs").days.count else {
        panic!("the days are a parameter")
    };
    assert_eq!(program.parameters[days.0 as usize].id, "minimum_living_notice_days");
    assert_eq!(sample.sample.as_ref().expect("the county visits").musts.len(), 3);
    assert_eq!(county.notice.as_ref().expect("the county posts it, too").places.len(), 3);
    assert_eq!(approval.not_by.len(), 3);
    assert_eq!(approval.records[0].entity, "decision");
    assert_eq!(approval.reserves.as_ref().expect("money is set apart").fund, "minimum-living");
    assert_eq!(last.next[0].to, Target::End(Outcome::Done));
}
