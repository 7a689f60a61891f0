"""lines.py HOUSEHOLDS: facts for `xiaokang calculate`, a household of three persons in its village on each line, seeded.

    python bench/twelve-rules/lines.py 30000 > lines.jsonl
    time xiaokang calculate --pack bench/twelve-rules/pack --as-of 2019-12-31 lines.jsonl > results.jsonl
"""
import json, random, sys

draw = random.Random(2015)
yuan = lambda most: round(draw.uniform(0, most), 2)
for _ in range(int(sys.argv[1])):
    persons = [
        {
            "age": draw.randint(0, 85),
            "able_to_work": draw.random() < 0.9,
            "disabled": draw.random() < 0.055,
            "stage": draw.randint(0, 4),
            "dropped_out": draw.random() < 0.004,
            "bill": yuan(90_000) if draw.random() < 0.09 else 0,
            "insured": draw.random() < 0.992,
        }
        for _ in range(3)
    ]
    household = {
        "net_income": yuan(40_000),
        "in_relocation_plan": draw.random() < 0.06,
        "loan_principal": draw.choice([0, 0, 0, 0, 10_000, 20_000, 50_000]),
        "loan_year": draw.randint(1, 5),
        "housing_safe": draw.random() < 0.97,
        "water_safe": draw.random() < 0.98,
    }
    facilities = ["road", "clinic", "culture_room", "network", "collective_income"]
    village = {"ethnic": draw.random() < 0.33} | {name: draw.random() < 0.985 for name in facilities}
    print(json.dumps({"village": village, "household": household, "person": persons}))
