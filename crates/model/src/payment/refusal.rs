//! Why a batch refuses a command, and what is found in a bank's return file.

use crate::Refused;
use crate::reason::reasons;

/// A refusal of a command, or a finding in a return file; then `part` is the line of the file.
pub type PaymentRefusal = Refused<PaymentCode>;

reasons! {
    /// Why a batch refuses a command or a row. Codes are stable; the words may be improved.
    PaymentCode {
        BatchEmpty "batch-empty" { "批次没有付款行" "the batch has no lines" }
            hint { "请至少列入一行" "plan at least one line" }
        BatchUnknown "batch-unknown" { "批次不存在" "the batch is not found" }
            hint { "请核对批次编号" "check the id" }
        BatchExists "batch-exists" { "批次编号已用于另一批" "the id is that of another batch" }
            hint { "重试须与原批次完全相同；新批次请用新编号" "a retry is the same in every line; use a new id for a new batch" }
        WrongStage "wrong-stage" { "批次当前状态不允许" "not at this stage of the batch" }
            hint { "顺序为：编制、出盘、银行受理、回盘、对账、关闭" "the way is planned, sent, acknowledged, returned, reconciled, closed" }
        LineRepeated "line-repeated" { "付款行重复" "the line is repeated" }
            hint { "同一对象同一办件在一批中只付一次；回盘文件一行付款只能有一条结果" "pay one case to one payee once in a batch; a return file has one row for a line" }
        LineUnknown "line-unknown" { "没有对应的付款行" "no line of the batch matches" }
            hint { "请核对是否为本批次的回盘文件" "check that it is the return file of this batch" }
        LineAmbiguous "line-ambiguous" { "对应多个付款行" "several lines match" }
            hint { "请核对匹配列的声明" "check the declared columns of matching" }
        LineAccounts "line-accounts" { "付款行的账户不对" "the accounts of the line are not those of a payment" }
            hint { "从应付账户付到收款账户，同一文号、用途和年度" "pay from an encumbered account to a settled one of the same document, purpose and year" }
        AmountNotPositive "amount-not-positive" { "金额必须大于零" "the amount is not more than zero" }
            hint { "请核对金额" "check the amount" }
        AmountDiffers "amount-differs" { "金额与付款行不符" "the amount differs from the line's" }
            hint { "不得照改应付金额；请向银行核对" "what is owed stays; ask the bank" }
        DateInvalid "date-invalid" { "日期早于出盘或晚于今天" "the date is before the file was sent or still to come" }
            hint { "请向银行核对" "ask the bank" }
        StatusUnknown "status-unknown" { "银行状态码未声明" "the status of the bank is not declared" }
            hint { "请在银行布局中声明其含义" "declare what it means in the layout of the bank" }
        AlreadyExplained "already-explained" { "该行已有结果" "the line is explained already" }
            hint { "请核对是否重复回盘" "check whether the bank reported it twice" }
        PayeeDiffers "payee-differs" { "收款人或编号与付款行不符" "payee or number differ from the line's" }
            hint { "请向银行核对" "ask the bank" }
        PayeeMissing "payee-missing" { "缺少收款人信息" "the payee of the line is not given" }
            hint { "请提供全部收款账户后再匹配" "give the accounts of all payees to match by them" }
        PayeeChanged "payee-changed" { "收款人与更正不符" "the payee is not the corrected one" }
            hint { "按更正后的收款人再次支付" "pay again to the payee of the correction" }
        FileDiffers "file-differs" { "该批次已出另一文件" "another file was sent for the batch" }
            hint { "一批只出一个文件；银行拒收后方可重出" "a batch sends one file; another only after the bank rejected it" }
        FileRejected "file-rejected" { "该文件已被银行拒收" "the bank rejected this very file" }
            hint { "请改正后重新出盘" "render it again after correcting what was wrong" }
        TotalsDiffer "totals-differ" { "笔数或金额与批次不符" "count or sum differ from the batch's" }
            hint { "请向银行核对" "ask the bank" }
        NotExplained "not-explained" { "尚有付款行没有结果" "a line is not explained" }
            hint { "每行都要有到账或退回的结果才能对账" "every line is delivered or returned before the batch is reconciled" }
        StatementDiffers "statement-differs" { "银行对账单与到账合计不符" "the bank's statement differs from what was delivered" }
            hint { "请逐笔核对；不得以应付数代替实付数" "compare line by line; what was owed does not stand for what was delivered" }
        NotReturned "not-returned" { "该行没有退回" "the line was not returned" }
            hint { "只有退回的付款可以更正、重付或放弃" "only what was returned is corrected, paid again or given up" }
        NotCorrected "not-corrected" { "该行尚未更正" "the line is not corrected" }
            hint { "先核实更正收款信息再重付" "verify and correct the payee before paying again" }
        AlreadySettled "already-settled" { "该退回已处理" "something was done about the return before" }
            hint { "退回的付款只能重付一次" "what was returned is paid again once" }
        ReturnOpen "return-open" { "尚有退回未处理" "a return is still open" }
            hint { "请重付或决定放弃" "pay it again or decide to give it up" }
        AgainUnlinked "again-unlinked" { "重付须与原批次一并办理" "a line paid again goes with the batch that it comes from" }
            hint { "请从原批次发起重付" "plan it from the earlier batch" }
    }
}
