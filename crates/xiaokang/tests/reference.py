"""An independent reference: every total of a county, straight from its workbooks, in integer fen.

It shares nothing with the project but the reading of the example values. Usage: reference.py FOLDER
"""
import sys, json, datetime as dt, openpyxl
from decimal import Decimal
from collections import defaultdict
D = sys.argv[1]
ASOF = dt.date(2015, 12, 31)
def load(name):
    ws = openpyxl.load_workbook(f'{D}/{name}.xlsx', read_only=True).worksheets[0]
    rows = list(ws.iter_rows(values_only=True))
    head = [str(h).replace('\n', '') if h else h for h in rows[1]]
    out = []
    for r in rows[2:]:
        if all(v in (None, '') for v in r) or any(v == '合计' for v in r): continue
        out.append(dict(zip(head, r)))
    return out
def fen(v):
    d = Decimal(repr(v) if isinstance(v, float) else str(v)) * 100
    assert d == d.to_integral_value(), v
    return int(d)
def day(v): return v.date()
def half_up(n, d):               # n >= 0 or sign handled
    s = -1 if n < 0 else 1
    n = abs(n)
    return s * ((2 * n + d) // (2 * d))
def age(b, at): return at.year - b.year - ((at.month, at.day) < (b.month, b.day))
villages, households, persons, stays, loans = map(load, ('村', '户', '人', '住院', '贷款'))
LINE, MLINE = 285500, 240000
members = defaultdict(list)
for p in persons: members[p['户编号']].append(p)
H = {}
for h in households:
    m = members[h['户编号']]
    inc = fen(h['工资性收入(元)']) + fen(h['生产经营性收入(元)']) - fen(h['生产经营性支出(元)']) + fen(h['财产性收入(元)']) + fen(h['转移性收入(元)'])
    pci = half_up(inc, len(m))
    able = 0
    for p in m:
        c = p['证件号码']; b = dt.date(int(c[6:10]), int(c[10:12]), int(c[12:14]))
        if 16 <= age(b, ASOF) <= 59 and p['劳动技能'] in ('普通劳动力', '技能劳动力'): able += 1
    H[h['户编号']] = dict(h=h, m=m, pci=pci, able=able, poor=pci < LINE,
        guaranteed=any(p['是否享受低保'] == '是' or p['是否特困供养'] == '是' for p in m))
T = {}
T['households'] = len(H); T['persons'] = len(persons)
T['poor_households'] = sum(x['poor'] for x in H.values())
T['poor_persons'] = sum(len(x['m']) for x in H.values() if x['poor'])
T['no_able_worker'] = sum(x['able'] == 0 for x in H.values())
# Article 7: whom work cannot lift is guaranteed the minimum living line; the destitute are supported on their own
# account, so they are neither covered nor paid here; the disability subsidy fills up, after the guarantee, to the line.
for x in H.values():
    x['counted'] = [p for p in x['m'] if p['是否特困供养'] != '是']
    x['covered'] = x['able'] == 0 and x['poor'] and bool(x['counted'])
    x['each'] = max(MLINE - x['pci'], 0) if x['covered'] else 0
T['minimum_living_households'] = sum(x['covered'] for x in H.values())
T['minimum_living_households_with_amount'] = sum(x['each'] > 0 for x in H.values())
T['minimum_living_fen'] = sum(x['each'] * len(x['counted']) for x in H.values())
T['disability_fen'] = sum(max(LINE - H[p['户编号']]['pci'] - H[p['户编号']]['each'], 0) for p in persons
    if p['健康状况'] == '残疾' and p['是否特困供养'] != '是')
by = defaultdict(list)
for s in stays: by[s['证件号码']].append(s)
DED = {'一级': 10000, '二级': 30000, '三级': 80000}; SH = {'一级': 85, '二级': 75, '三级': 60}
tb = ts = ta = 0; n_capped = n_assist_cap = 0
for p in persons:
    L = sorted((s for s in by.get(p['证件号码'], []) if s['是否定点'] == '是' and day(s['出院日期']).year == ASOF.year),
               key=lambda s: day(s['出院日期']))
    if not L: continue
    basic = policy = sup = com = 0
    for s in L:
        ip = fen(s['总费用(元)']) - fen(s['目录外费用(元)']); policy += ip
        if p['是否参加城乡居民基本医疗保险'] == '是':
            b = half_up(max(ip - DED[s['机构级别']], 0) * SH[s['机构级别']], 100)
            paid = min(b, 15000000 - basic); n_capped += paid < b
            basic += paid
        sup += fen(s['补充保险报销(元)']); com += fen(s['商业保险报销(元)'])
    left = policy - basic; serious = 0
    if p['是否参加大病保险'] == '是':
        over = max(left - 400000, 0)
        serious = half_up(min(over, 3000000) * 50, 100) + half_up(min(max(over - 3000000, 0), 2000000) * 60, 100) + half_up(max(over - 5000000, 0) * 70, 100)
    left -= serious
    sup = min(sup, left); left -= sup
    com = min(com, left); left -= com
    share = 70 if H[p['户编号']]['guaranteed'] else 50
    a = min(half_up(left * share, 100), 2000000); n_assist_cap += a == 2000000
    tb += basic; ts += serious; ta += a
T['basic_insurance_fen'], T['serious_illness_fen'], T['medical_assistance_fen'] = tb, ts, ta
R1 = [('2014-11-22', 560), ('2015-03-01', 535), ('2015-05-11', 510), ('2015-06-28', 485), ('2015-08-26', 460), ('2015-10-24', 435)]
R5 = [(d, r + 40) for d, r in R1]
def bench(t, d):
    return [r for f, r in (R1 if t <= 12 else R5) if f <= d.isoformat()][-1]
def add_months(d, n):
    y, m = divmod(d.year * 12 + d.month - 1 + n, 12); m += 1
    last = (dt.date(y + m // 12, m % 12 + 1, 1) - dt.timedelta(1)).day
    return dt.date(y, m, min(d.day, last))
ti = 0
for l in loans:
    if l['状态'] == '逾期': continue
    pr, t, d = fen(l['本金(元)']), int(l['期限(月)']), day(l['放款日期'])
    if pr > 5000000 or t > 36: continue
    rate = min(int(Decimal(str(l['年利率(%)'])) * 100), bench(t, d))      # 1/10000
    days = (min(dt.date(2016, 1, 1), add_months(d, t)) - max(d, dt.date(2015, 1, 1))).days
    ti += half_up(pr * rate * max(days, 0), 10000 * 365)
T['interest_subsidy_fen'] = ti
T['exit_ready_households'] = sum(
    x['pci'] > LINE and x['h']['危房等级'] in ('A级', 'B级') and x['h']['是否解决安全饮用水'] == '是' and x['h']['是否通生活用电'] == '是'
    and x['h']['是否通广播电视'] == '是' and all(p['在校生状况'] != '失学辍学' and p['是否参加城乡居民基本医疗保险'] == '是' for p in x['m'])
    for x in H.values())
T['poor_villages'] = sum(v['是否贫困村'] == '是' for v in villages)
T['road_gap_villages'] = sum(v['是否通硬化路'] == '否' for v in villages)
T['no_first_secretary_villages'] = sum(v['是否贫困村'] == '是' and not v['第一书记'] for v in villages)
T['no_helper_households'] = sum(not x['h']['帮扶责任人'] for x in H.values())
print(json.dumps(T))
