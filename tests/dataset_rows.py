"""The same conversation in the forms that the field uses, each made here."""

import json

WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city today.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city"}},
        "required": ["city"],
    },
}
OPENAI_TOOL = {"type": "function", "function": WEATHER}
CALL = {"name": "get_weather", "arguments": {"city": "Ghent"}}
RESULT = '{"city": "Ghent", "sky": "rain", "celsius": 11}'
ASKED, SAID = "What is the weather in Ghent?", "It is raining in Ghent, at 11 degrees."
RULES = "You answer questions about the weather."


def openai(arguments='{"city": "Ghent"}'):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    return {
        "messages": [
            {"role": "system", "content": RULES},
            {"role": "user", "content": ASKED},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": RESULT, "tool_call_id": "call_1"},
            {"role": "assistant", "content": SAID},
        ],
        "tools": [OPENAI_TOOL],
    }


def sharegpt():
    return {
        "conversations": [
            {"from": "human", "value": ASKED},
            {"from": "function_call", "value": json.dumps(CALL)},
            {"from": "observation", "value": RESULT},
            {"from": "gpt", "value": SAID},
        ],
        "system": RULES,
        "tools": json.dumps([WEATHER]),
    }


def hermes():
    tools = (
        f"You may call functions. Signatures are within <tools></tools>:\n<tools>\n{json.dumps(OPENAI_TOOL)}\n</tools>"
    )
    return {
        "id": "h-1",
        "conversations": [
            {"from": "system", "value": f"{tools}\nAnswer with <tool_call>{{…}}</tool_call>."},
            {"from": "human", "value": ASKED},
            {"from": "gpt", "value": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>"},
            {"from": "tool", "value": f"<tool_response>\n{RESULT}\n</tool_response>"},
            {"from": "gpt", "value": SAID},
        ],
    }


def qwen():
    """Results stand in a user's turn, and the model thought aloud."""
    return {
        "messages": [
            {"role": "system", "content": f"# Tools\n<tools>\n{json.dumps(OPENAI_TOOL)}\n</tools>"},
            {"role": "user", "content": ASKED},
            {
                "role": "assistant",
                "content": f"<think>\nLook it up.\n</think>\n<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
            },
            {"role": "user", "content": f"<tool_response>\n{RESULT}\n</tool_response>"},
            {"role": "assistant", "content": SAID},
        ]
    }


def toucan():
    """Messages and tools as texts; calls as Python prints them, in turns of their own."""
    turns = [
        {"role": "user", "content": ASKED},
        {"role": "tool_call", "content": str({"name": "get_weather", "arguments": '{"city": "Ghent"}'})},
        {"role": "tool_response", "content": RESULT},
        {"role": "assistant", "content": SAID},
    ]
    return {"uuid": "t-1", "messages": json.dumps(turns), "available_tools": json.dumps([OPENAI_TOOL])}


def legacy():
    """OpenAI's form before tools: `function_call`, role `function`."""
    turns = [
        {"role": "user", "content": ASKED},
        {
            "role": "assistant",
            "content": "",
            "function_call": {"name": "get_weather", "arguments": '{"city": "Ghent"}'},
        },
        {"role": "function", "name": "get_weather", "content": RESULT},
        {"role": "assistant", "content": SAID},
    ]
    return {"messages": turns, "functions": [WEATHER]}


def trl():
    whole = openai(CALL["arguments"])["messages"]
    return {"prompt": whole[:2], "completion": whole[2:], "tools": json.dumps([OPENAI_TOOL])}


FORMS = {
    "openai": openai,
    "sharegpt": sharegpt,
    "hermes": hermes,
    "qwen": qwen,
    "toucan": toucan,
    "legacy": legacy,
    "trl": trl,
}
