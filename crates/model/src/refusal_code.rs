//! The reasons for which a value is refused: codes that never change, and their words.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Text;

/// Declares every code once: variant, stable code, what is wrong (zh, en), what to do (zh, en).
macro_rules! refusal_codes {
    ($($variant:ident $code:literal { $zh:literal $en:literal } hint { $hint_zh:literal $hint_en:literal })*) => {
        /// Why a value, a row or a command is refused. Codes are stable: reports, translations and other
        /// programs rely on them; the words may be improved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode {
            $(#[doc = concat!("`", $code, "`: ", $en, ".")] $variant,)*
        }

        impl RefusalCode {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable code, in kebab case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What is wrong, in a few words without the value: the head of a message.
            pub fn title(self) -> Text {
                match self { $(Self::$variant => Text::new($zh, $en),)* }
            }

            /// What the person at the form can do about it.
            pub fn hint(self) -> Text {
                match self { $(Self::$variant => Text::new($hint_zh, $hint_en),)* }
            }
        }
    };
}

refusal_codes! {
    RequiredMissing "required-missing" { "必填项为空" "a required value is missing" }
        hint { "请补填" "fill it in" }
    NotANumber "not-a-number" { "不是数字" "not a number" }
        hint { "只填数字，可带千分位和单位“元”“万元”" "write digits only; separators and units of money are allowed" }
    TooManyDecimals "too-many-decimals" { "小数位过多" "more decimals than the field allows" }
        hint { "请按规定的小数位填写；系统从不代为四舍五入" "write it at the declared decimals; nothing is rounded for you" }
    OutOfRange "out-of-range" { "超出允许范围" "outside the allowed range" }
        hint { "请核对数值和单位" "check the value and its unit" }
    NotADate "not-a-date" { "不是有效日期" "not a valid date" }
        hint { "请写成 2015-06-30" "write it as 2015-06-30" }
    NotYesOrNo "not-yes-or-no" { "不是“是”或“否”" "neither yes nor no" }
        hint { "请填“是”或“否”" "write 是 or 否" }
    NotInCodeList "not-in-code-list" { "不在代码表内" "not in the code list" }
        hint { "请从代码表中选择" "choose from the code list" }
    TextTooLong "text-too-long" { "文字过长" "the text is too long" }
        hint { "请缩短" "shorten it" }
    DigitsLost "digits-lost" { "数字已丢失位数" "digits of the number are lost" }
        hint { "请把该列设为文本格式后重新录入" "format the column as text and type the number again" }
    CellError "cell-error" { "单元格是公式错误" "the cell holds a formula error" }
        hint { "请修正公式或改填数值" "repair the formula or write the value" }
    IdLength "id-length" { "证件号码长度不对" "the citizen number has the wrong length" }
        hint { "应为 18 位，旧号为 15 位" "it has 18 characters, or 15 in the old form" }
    IdDigits "id-digits" { "证件号码含有非数字字符" "the citizen number contains something other than digits" }
        hint { "除末位可为 X 外，只能是数字" "only the last character may be X" }
    IdDivision "id-division" { "证件号码的地区码不存在" "the citizen number begins with an impossible division" }
        hint { "请核对前六位" "check the first six digits" }
    IdBirth "id-birth" { "证件号码的出生日期不存在" "the citizen number contains an impossible date of birth" }
        hint { "请核对第 7 至 14 位" "check digits 7 to 14" }
    IdChecksum "id-checksum" { "证件号码校验位不符" "the check character of the citizen number does not match" }
        hint { "请对照证件原件" "compare it with the document itself" }
    IdDigitsLost "id-digits-lost" { "证件号码被存成数值，末几位已丢失" "the citizen number was stored as a number and lost its last digits" }
        hint { "请把该列设为文本格式后对照证件重新录入" "format the column as text and type it again from the document" }
    IdDuplicate "id-duplicate" { "证件号码与另一人相同" "another person has the same citizen number" }
        hint { "请核对两人的证件，或合并为一人" "compare both documents, or merge the two records" }
    CertificateInvalid "certificate-invalid" { "残疾人证号不对" "the disability certificate number is not valid" }
        hint { "应为身份证号后接类别（1-7）和等级（1-4）" "it is the citizen number, then kind (1-7) and grade (1-4)" }
    DivisionCodeInvalid "division-code-invalid" { "区划代码格式不对" "the division code is malformed" }
        hint { "应为 2、4、6、9 或 12 位数字" "it has 2, 4, 6, 9 or 12 digits" }
    DivisionNotFound "division-not-found" { "区划代码不存在" "no division has this code" }
        hint { "请对照区划表；合并、改名的用新代码" "compare it with the list of divisions; merged ones have new codes" }
    KeyInvalid "key-invalid" { "编号不对" "the record key is not valid" }
        hint { "不能为空，不能含控制字符，不超过 64 个字符" "it has 1 to 64 characters, none of them control characters" }
    KeyRepeated "key-repeated" { "编号重复" "the record key is repeated" }
        hint { "同一编号只能有一行" "one key, one row" }
    ParentNotFound "parent-not-found" { "所属上级记录不存在" "the record it belongs to is not found" }
        hint { "请先登记上级记录，或核对编号" "register that record first, or check the key" }
    Contradiction "contradiction" { "与其他登记项矛盾" "it contradicts another recorded value" }
        hint { "请核对两项，改正有误的一项" "check both and correct the wrong one" }
    SumMismatch "sum-mismatch" { "合计与分项不符" "the total differs from the sum of its parts" }
        hint { "请核对各分项" "check the parts" }
    DateOrder "date-order" { "日期先后颠倒" "the dates are in the wrong order" }
        hint { "请核对起止日期" "check the first and the last date" }
    PeriodOverlap "period-overlap" { "期间重叠" "two periods overlap" }
        hint { "请调整起止日期" "adjust where one ends and the other begins" }
    PeriodGap "period-gap" { "该日期无有效值" "no value is in force at the date" }
        hint { "请补充该期间的值" "add a value for the period" }
    SheetMissing "sheet-missing" { "缺少工作表" "the sheet is missing" }
        hint { "请使用规定的表格" "use the prescribed workbook" }
    ColumnMissing "column-missing" { "缺少列" "a required column is missing" }
        hint { "请核对表头" "check the header row" }
    ColumnRepeated "column-repeated" { "列重复" "two columns mean the same field" }
        hint { "请删除其中一列" "delete one of them" }
    ColumnUnknown "column-unknown" { "未知列，已略去" "the column is unknown and was dropped" }
        hint { "本系统不收集该项" "the pack doesn't collect it" }
    FileUnreadable "file-unreadable" { "文件无法读取" "the file cannot be read" }
        hint { "请另存为 xlsx 或 csv 后重试" "save it again as xlsx or csv" }
    NotFound "not-found" { "记录不存在" "the record is not found" }
        hint { "请核对编号" "check the key" }
    NotPermitted "not-permitted" { "无此权限" "your role does not permit it" }
        hint { "请由有权限的人员办理" "ask someone whose role permits it" }
    ChangedMeanwhile "changed-meanwhile" { "记录已被他人修改" "the record was changed meanwhile" }
        hint { "请刷新后再改" "reload it and try again" }
    FlowVersion "flow-version" { "程序版本与立案时不同" "the case began under another version of the procedure" }
        hint { "请按立案时的版本办理" "go on with the version it began with" }
    StepNotCurrent "step-not-current" { "不在该步骤" "the case is not at this step" }
        hint { "请刷新，按当前步骤办理" "reload it and act at the current step" }
    CaseClosed "case-closed" { "程序已结束" "the procedure has ended" }
        hint { "如允许申诉，可提出申诉" "appeal where the procedure allows it" }
    ActNotDeclared "act-not-declared" { "该步骤没有此项操作" "the step has no such act" }
        hint { "请按程序规定的操作办理" "use what the procedure declares for this step" }
    MakerIsChecker "maker-is-checker" { "经办人不得审核本人经办的事项" "who acted in an earlier step may not act in this one" }
        hint { "请由另一人办理" "another person has to act" }
    KinRecused "kin-recused" { "本人或亲属须回避" "the subject, or kin of the subject, may not act" }
        hint { "请由无亲属关系的人员办理，或将该户单列" "someone unrelated has to act, or the item is set apart" }
    AlreadyDone "already-done" { "已办理" "it is done already" }
        hint { "无需重复" "nothing is left to do" }
    ReasonsMissing "reasons-missing" { "须写明理由" "reasons have to be given" }
        hint { "请用书面写明事实和依据" "write the facts and the clause it rests on" }
    EvidenceMissing "evidence-missing" { "缺少证明材料" "evidence is missing" }
        hint { "请上传所列材料" "attach what is named" }
    InvestigatorsMissing "investigators-missing" { "调查人数不足" "too few persons have investigated" }
        hint { "须由不同的人员调查" "each has to be another person" }
    SampleNotDrawn "sample-not-drawn" { "尚未抽样" "the sample is not drawn" }
        hint { "请先抽样" "draw it first" }
    SampleNotVisited "sample-not-visited" { "应入户的未全部入户" "not all who have to be visited were visited" }
        hint { "请入户所列各户" "visit those named" }
    VoteMissing "vote-missing" { "尚未表决" "no vote was held" }
        hint { "请召开会议并录入表决结果" "hold the meeting and enter the votes" }
    VoteInconsistent "vote-inconsistent" { "表决票数不符" "the counts of the vote contradict each other" }
        hint { "请核对应到、实到和票数" "check those entitled, those present and the votes" }
    NoQuorum "no-quorum" { "到会人数不足" "too few were present" }
        hint { "请重新召集" "call the meeting again" }
    NoticeNotPosted "notice-not-posted" { "尚未公示" "the notice is not posted" }
        hint { "请在规定的地点张贴" "post it at each place named" }
    NoticeRunning "notice-running" { "公示期未满" "the notice has not hung its full time" }
        hint { "请待公示期满" "wait until the day named has passed" }
    NoticeOver "notice-over" { "公示期已满" "the notice has hung its full time" }
        hint { "可依法申诉或投诉" "an appeal or a complaint remains possible" }
    ObjectionOpen "objection-open" { "异议尚未答复" "an objection is not answered" }
        hint { "请先答复异议" "answer it first" }
    ConditionFalse "condition-false" { "条件不符合" "the condition does not hold" }
        hint { "请书面告知不予办理及理由，或退回" "refuse in writing with reasons, or return it" }
    ConditionUnknown "condition-unknown" { "条件无法判断，缺少登记项" "the condition cannot be judged: facts are missing" }
        hint { "请补登所列事项" "record what is named" }
    FactsChanged "facts-changed" { "公示或上报后情况有变" "the facts changed after they were shown" }
        hint { "原意见作废，请重新提出" "void the proposal and propose again" }
    FactsUnchanged "facts-unchanged" { "情况没有变化" "the facts did not change" }
        hint { "无需作废" "there is nothing to void" }
    DeadlinePassed "deadline-passed" { "已过期限" "the time limit has passed" }
        hint { "请重新申请" "begin anew" }
    ChoiceMissing "choice-missing" { "须选择结果" "the outcome has to be chosen" }
        hint { "请从所列结果中选择" "choose one of those named" }
    CalendarEnds "calendar-ends" { "工作日历不含该日期" "the calendar of working days does not reach the date" }
        hint { "请补充该年度的工作日历" "add the calendar of that year" }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is no refusal code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a refusal code")]
pub struct UnknownRefusalCode(pub String);

impl FromStr for RefusalCode {
    type Err = UnknownRefusalCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| UnknownRefusalCode(text.to_owned()))
    }
}
