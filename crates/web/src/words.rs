//! Every text of the product that stands on a page, in both languages. A text that lacks one of them does not compile,
//! and neither does a page that asks for one that is not here.
//!
//! Sentences with numbers and names in them stand in [`crate::phrase`].

use model::Lang;

macro_rules! words {
    ($($key:ident: $zh:literal, $en:literal;)*) => {
        /// The texts in one language.
        #[derive(Debug)]
        pub struct Words {
            $(pub $key: &'static str,)*
        }

        static ZH: Words = Words { $($key: $zh,)* };
        static EN: Words = Words { $($key: $en,)* };

        /// Name, Chinese and English of every text.
        pub const CATALOGUE: &[(&str, &str, &str)] = &[$((stringify!($key), $zh, $en),)*];
    };
}

impl Words {
    pub fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::Zh => &ZH,
            Lang::En => &EN,
        }
    }
}

words! {
    against: "反对", "against";
    answer_objection: "答复异议", "answer an objection";
    arrived: "已到账", "arrived";
    article_list: "各条", "articles";
    as_of: "截至", "as of";
    assumed: "示例值", "example value";
    assumed_hint: "尚未填报，以示例值代替", "not reported yet; an example value stands in";
    attach: "附上材料", "attach the document";
    benefits: "应得到什么，为什么", "what is due, and why";
    benefits_kind: "待遇", "benefits";
    brand: "小康", "Xiaokang";
    by_the_book: "按账本，随时更新", "by the book, as it stands now";
    case_id: "编号", "number";
    cases_of_record: "正在办理和办过的事项", "cases, open and ended";
    checks: "核查", "checks";
    clause: "条款", "clause";
    clear_filter: "取消", "remove";
    compare_by: "比较", "compare by";
    conditions: "条件", "conditions";
    complete: "完成这一步", "complete this step";
    confirmed: "已确认应付", "confirmed as owed";
    county_and_above: "公众可查县及县以上的数字；人数少于 5 的不显示。", "the public sees figures of counties and larger places; counts below 5 are withheld.";
    decision: "决定", "Decision";
    decision_here: "按决定各条看", "by the Decision's clauses";
    defined_by: "规则", "rule";
    digest: "指纹", "digest";
    dismiss: "不成立", "dismiss";
    division: "地方", "place";
    draw: "抽取样本", "draw the sample";
    duties: "职责", "duties";
    ended: "已结束", "ended";
    entitled: "应到", "entitled";
    engine: "程序", "program";
    export: "导出", "export";
    fields: "登记的内容", "what is recorded";
    fewer: "少于 5", "fewer than 5";
    figure: "数字", "figure";
    figures_of_place: "这个地方的数字", "figures of this place";
    find: "查找", "find";
    find_hint: "户、人、村的编号", "number of household or village";
    findings: "需人工处理", "for a person to decide";
    first: "首页", "first";
    gap_cost: "补齐所需", "to close the gap";
    goto_content: "跳到正文", "skip to the content";
    happened: "经过", "what happened";
    in_force_from: "施行自", "in force from";
    in_favour: "赞成", "in favour";
    internal: "出了故障", "something broke";
    internal_hint: "没有改动任何数据；故障已记下，请稍后再试。", "nothing was changed; it has been noted down. Please try again later.";
    investigated: "我已入户调查", "I have investigated";
    last: "末页", "last";
    levels_below: "下级地方", "places below";
    list: "名单", "list";
    lists: "名册", "registers";
    lists_empty: "尚无记录的名册", "registers without records";
    main_menu: "主导航", "main menu";
    meets: "达到", "meets";
    mend: "请核改", "to be mended";
    misses: "未达到", "misses";
    missing: "缺少什么", "what is missing";
    missing_page: "没有这一页，或不在您的范围内", "there is no such page, or it is out of your reach";
    missing_page_hint: "请核对地址；登录后可以看本地的名单和记录。", "check the address; whoever signs in sees the lists and records of their place.";
    money: "发放", "payments";
    next: "下一页", "next";
    no: "否", "no";
    no_match: "没有符合的记录", "no record meets this";
    none_due: "不符合", "not due";
    none_due_now: "目前没有应得的", "nothing is due at present";
    not_recorded: "未填", "not recorded";
    open_case: "查看", "open";
    order: "排序", "order";
    order_default: "按地方和编号", "by place and number";
    other_language: "English", "中文";
    pack: "规则包", "rule pack";
    parameter: "参数", "parameter";
    parameters: "参数和来源", "parameters and their sources";
    password: "密码", "password";
    peers: "同级比较", "beside its peers";
    place_list: "各地", "places";
    place_record: "登记的内容", "what is recorded";
    post: "张贴公示：", "post the notice:";
    present: "实到", "present";
    previous: "上一页", "previous";
    public_portal: "公开可查", "open to anyone";
    reason: "理由", "reason";
    records: "条记录", "records";
    refused: "没有办成：", "not done:";
    reserved: "已预留资金", "money set apart";
    results: "算出的结果", "what is computed";
    run_page: "这些数字从哪里来", "where these figures come from";
    share: "比例", "share";
    sign_in: "登录", "sign in";
    sign_in_hint: "县、乡、村的工作人员用自己的账号登录。", "staff of county, township and village sign in with their own account.";
    sign_out: "退出", "sign out";
    snapshot: "数据快照", "snapshot";
    sort_down: "从大到小", "greatest first";
    sort_up: "从小到大", "least first";
    source: "来源", "source";
    standards: "标准", "standards";
    standards_checklist: "标准逐项", "standards, one by one";
    subjects: "对象", "subjects";
    today: "今日", "today";
    todo: "等待办理", "waiting";
    todo_mine: "等我办理", "waiting for me";
    todo_others: "等别人", "waiting for others";
    todo_none: "没有等待办理的事项", "nothing is waiting";
    total: "合计", "total";
    turns: "怎样会改变", "what would change it";
    turns_amount: "怎样会使金额大于零", "what would make the amount positive";
    turns_none: "在各项允许的范围内，没有找到能改变结论的一两项事实", "no change of one or two facts within their ranges would turn it";
    turns_none_tried: "在已尝试的范围内没有找到", "none found among the changes tried";
    unknown: "未知", "unknown";
    update: "更新", "update";
    uphold: "成立", "uphold";
    user: "用户名", "user name";
    value: "值", "value";
    verdict: "情况", "verdict";
    visited: "抽到的都已入户", "all that were drawn are visited";
    vote: "登记表决", "record the vote";
    waits_for: "暂不能办", "cannot be done yet";
    why: "为什么", "why";
    without_filter: "不限", "any";
    withheld: "不公开", "withheld";
    wrong_request: "请求有误", "this cannot be asked";
    yes: "是", "yes";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_in_its_own_language() {
        let han = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        for (key, zh, en) in CATALOGUE {
            // The switch names the other language in that language.
            if *key == "other_language" {
                continue;
            }
            assert!(han(zh), "{key}: {zh}");
            assert!(!en.is_empty() && !han(en), "{key}: {en}");
        }
    }
}
