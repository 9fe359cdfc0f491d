"""Calls that do not fit their tools, and tools that no API takes."""

import json

from defects.sample import argument, good, pick


def renamed_function(sample, rng):
    made = pick(rng, good(sample))
    name = made.call.name if made else ""
    other = rng.choice([name + "s", name.replace("_", ""), "get_" + name, name + "_v2", name[:-1], name.upper()])
    return sample.with_call(made, name=other) if made and other not in sample.case.tools else None


def changed_type(sample, rng):
    made, key = argument(
        sample, rng, lambda value, schema: schema.get("type") in ("string", "integer", "number", "boolean")
    )
    if not made:
        return None
    value = made.call.arguments[key]
    if isinstance(value, str):
        wrong = rng.choice([[value], {"value": value}, rng.randint(2, 999), None, True])
    else:
        wrong = rng.choice([str(value), [value], {"value": value}, None])
    return sample.with_call(made, arguments={**made.call.arguments, key: wrong})


def dropped_required(sample, rng):
    found = [item for item in good(sample) if sample.case.tools[item.call.name].parameters.get("required")]
    made = pick(rng, found)
    if not made:
        return None
    gone = rng.choice([key for key in sample.case.tools[made.call.name].parameters["required"]])
    return sample.with_call(made, arguments={key: value for key, value in made.call.arguments.items() if key != gone})


def unknown_property(sample, rng):
    made = pick(rng, good(sample))
    if not made:
        return None
    extra = rng.choice(
        [("user_id", 7), ("confirm", True), ("notes", "n/a"), ("priority_level", "high"), ("verbose", False)]
    )
    return sample.with_call(made, arguments={**made.call.arguments, extra[0]: extra[1]})


def broken_limit(sample, rng):
    made, key = argument(sample, rng, lambda value, schema: {"enum", "maximum", "maxLength"} & set(schema))
    if not made:
        return None
    schema = sample.case.tools[made.call.name].parameters["properties"][key]
    if "enum" in schema:
        wrong = "unlisted_option"
    elif "maximum" in schema:
        wrong = schema["maximum"] + rng.randint(1, 50)
    else:
        wrong = "x" * (schema["maxLength"] + 1)
    return sample.with_call(made, arguments={**made.call.arguments, key: wrong})


def broken_definition(sample, rng):
    tools = list(sample.trajectory.tools)
    place = rng.randrange(len(tools))
    parameters = json.loads(json.dumps(tools[place].parameters))
    update = {"parameters": parameters}
    fault = rng.randrange(5)
    if fault == 0:
        parameters["required"] = [*parameters.get("required", []), "absent_thing"]
    elif fault == 1:
        parameters["type"] = "array"
    elif fault == 2:
        parameters.setdefault("properties", {})["extra"] = {"type": "text"}
    elif fault == 3:
        update = {"name": tools[place].name.replace("_", " ") + "!"}
    else:
        update = {"description": " "}
    tools[place] = tools[place].model_copy(update=update)
    tools[place].__dict__.pop("canonical_parameters", None)
    return sample.having(sample.messages, tools)
