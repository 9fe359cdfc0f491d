"""Calls of functions as tagged text, for endpoints and models without a native form for them."""

import json

from gem_tasks.domain.chat import ChatMessage, ChatRequest, FunctionCall
from gem_tasks.prompts.dialogue import render_call


def in_tags(request: ChatRequest) -> ChatRequest:
    """The request without toolbox: its form ends the system message, calls are `<func>`, results are `<tool>`.

    The messages of a longer request begin with those of a shorter one, so that a server can cache them.
    """
    if request.toolbox is None:
        return request
    messages: list[ChatMessage] = []
    if not any(message.role == "system" for message in request.messages):
        messages.append(ChatMessage(role="system", content=request.toolbox.form))
    for message in request.messages:
        if message.role == "system":
            messages.append(ChatMessage(role="system", content=f"{message.content}\n\n{request.toolbox.form}"))
        elif message.role == "tool" and messages[-1].role == "user":
            results = f"{messages.pop().content}\n{_result(message)}"
            messages.append(ChatMessage(role="user", content=results))
        elif message.role == "tool":
            messages.append(ChatMessage(role="user", content=_result(message)))
        else:
            said = [message.content, *map(_call, message.tool_calls)]
            messages.append(ChatMessage(role=message.role, content="\n".join(filter(None, said))))
    return ChatRequest(
        model=request.model,
        messages=tuple(messages),
        sampling=request.sampling,
        answer_schema=request.answer_schema,
        conversation=request.conversation,
    )


def _result(message: ChatMessage) -> str:
    return f"<tool>\n{message.content}\n</tool>"


def _call(call: FunctionCall) -> str:
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = call.arguments
    return render_call(call.name, arguments)
