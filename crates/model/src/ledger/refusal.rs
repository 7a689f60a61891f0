//! Why the book refuses a command.

use crate::Refused;
use crate::reason::reasons;

/// The book's answer to a command that it does not carry out.
pub type LedgerRefusal = Refused<LedgerCode>;

reasons! {
    /// Why the book refuses a command. Codes are stable; the words may be improved.
    LedgerCode {
        BeyondBalance "beyond-balance" { "超出可用余额" "more than is available" }
            hint { "已预留的金额不能再用；请减少金额或先下达资金" "what is reserved cannot be used twice; lower the amount or allot money first" }
        BeyondCeiling "beyond-ceiling" { "超出账户上限" "more than the account may hold" }
            hint { "请核对该对象的上限和已付金额" "check the ceiling and what was already paid" }
        OutsidePurpose "outside-purpose" { "超出资金用途" "outside the purpose of the money" }
            hint { "资金只能用于文件规定的用途" "use money whose document names this purpose" }
        OtherDocument "other-document" { "两个账户的资金文号不同" "the two accounts are of different documents" }
            hint { "同一笔资金始终记在原文号下" "keep money under the document that first granted it" }
        WrongYear "wrong-year" { "预算年度不符" "wrong budget year" }
            hint { "上年资金须先结转再使用" "carry money of an earlier year over before it is used" }
        NoRoute "no-route" { "资金不能这样流转" "money doesn't move this way" }
            hint { "顺序为：指标、下达、预留、核实、支付；承诺和支付都要先预留" "the way is appropriation, allotment, commitment, obligation, payment; commitments and payments are reserved first" }
        UnknownAccount "unknown-account" { "账户不存在" "the account is not open" }
            hint { "请先开立账户，或核对文号、用途和年度" "open it first, or check document, purpose and year" }
        UnknownDocument "unknown-document" { "资金文件未登记" "the document is not registered" }
            hint { "请先登记指标文" "register the document of the appropriation first" }
        UnknownTransfer "unknown-transfer" { "所指交易不存在" "the transfer that it refers to is not found" }
            hint { "请核对交易编号" "check the id" }
        DocumentInvalid "document-invalid" { "指标文内容不完整" "the document is not complete" }
            hint { "每个用途一行，金额大于零" "give one line for each purpose, each more than zero" }
        AccountClosed "account-closed" { "账户已关闭" "the account is closed" }
            hint { "请使用结转后的账户" "use the account that its money was carried over to" }
        AccountDiffers "account-differs" { "账户已按其他限额开立" "the account is open with other limits" }
            hint { "账户开立后限额不变" "limits of an open account stay as they are" }
        AccountNotEmpty "account-not-empty" { "账户尚有余额或未了结的预留" "the account still holds or has reserved money" }
            hint { "请先结转、收回或了结" "carry it over, recover it or resolve what is reserved first" }
        AccountInvalid "account-invalid" { "该对象不能开立此类账户" "this holder cannot have an account of this kind" }
            hint { "指标和下达账户由各级政府或单位持有；限额不能为负" "divisions and bodies hold what is passed on; limits are not negative" }
        NotIdle "not-idle" { "资金并未闲置" "the money is not idle" }
            hint { "该账户在此日期后有收支" "the account has moved since that day" }
        KeyReused "key-reused" { "幂等键已用于另一笔交易" "the key was used for something else" }
            hint { "重试须与原请求完全相同；新交易请用新键" "a retry is the same in every part; use a new key for something new" }
        AlreadyResolved "already-resolved" { "该笔已经了结" "it was resolved before" }
            hint { "一笔预留只能确认或撤销一次，冲正不能超过原额" "a reservation is posted or voided once, and a transfer is reversed once" }
        VoidOfPosted "void-of-posted" { "已入账，不能撤销" "what is posted cannot be voided" }
            hint { "请用冲正" "reverse it" }
        NotAReservation "not-a-reservation" { "所指交易不是预留" "the transfer that it refers to is not a reservation" }
            hint { "只有预留可以确认或撤销；其他请用冲正" "only a reservation is posted or voided; reverse anything else" }
        NotReversible "not-reversible" { "该笔不能冲正" "it cannot be reversed" }
            hint { "预留请用撤销；冲正本身不再冲正" "void a reservation; a reversal stands" }
        BeyondReserved "beyond-reserved" { "超出预留金额" "more than is reserved" }
            hint { "请按预留金额以内确认，或另行预留" "post at most what is reserved, or reserve more" }
        BeyondTransfer "beyond-transfer" { "超出原交易剩余金额" "more than is left of the transfer" }
            hint { "冲正合计不能超过原额" "reversals together cannot exceed the transfer" }
        ReservationExpired "reservation-expired" { "预留已过期" "the reservation has expired" }
            hint { "请重新预留" "reserve again" }
        ExpiryPast "expiry-past" { "预留期限已过" "the reservation would end before it begins" }
            hint { "请给出以后的期限" "give a later end" }
        AmountNotPositive "amount-not-positive" { "金额必须大于零" "the amount is not more than zero" }
            hint { "退回或更正请用撤销或冲正" "void or reverse to take money back" }
        AmountTooLarge "amount-too-large" { "金额过大" "the sum is too large" }
            hint { "请核对单位" "check the unit" }
        BasisMissing "basis-missing" { "缺少决定或办件编号" "the decision or the case is missing" }
            hint { "涉及受益对象的每笔交易都要写明条款、决定和办件" "whatever concerns a beneficiary names clause, decision and case" }
        OtherCase "other-case" { "与预留不属同一决定或办件" "it names another decision or case than the reservation" }
            hint { "请按原决定确认" "post it under the decision that reserved it" }
        EffectiveFuture "effective-future" { "生效日期在今天以后" "the effective day is still to come" }
            hint { "请核对日期" "check the date" }
        EffectiveOrder "effective-order" { "生效日期早于所指交易" "the effective day is before that of the transfer it refers to" }
            hint { "请核对日期" "check the date" }
        GroupBroken "group-broken" { "成组交易不完整" "the group is not whole" }
            hint { "成组交易须一并提交，键各不相同；重试也须完整" "submit the whole group, each with a key of its own; a retry too" }
    }
}
