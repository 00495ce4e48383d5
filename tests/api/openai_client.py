"""The official client against a server: python3 openai_client.py URL. Ends with an error where something is not as it should be."""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
question = [{"role": "system", "content": "hello"}, {"role": "user", "content": "你好"}]
common = {"messages": question, "temperature": 0, "max_tokens": 24}

models = [model.id for model in client.models.list()]
assert models == ["mini", "mini:mine"], models

whole = {}
for model in models:
    completion = client.chat.completions.create(model=model, **common)
    whole[model] = completion.choices[0].message.content
    assert completion.object == "chat.completion"
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage.completion_tokens == 24
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + 24
assert whole["mini"] != whole["mini:mine"]

for model in models:
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, stream=True, stream_options=options, **common))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole[model], (text, whole[model])
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 24

stop = whole["mini"][3:5]
stopped = client.chat.completions.create(model="mini", stop=[stop], **common).choices[0]
assert stopped.message.content == whole["mini"].split(stop)[0]
assert stopped.finish_reason == "stop"

# The client's own helper, which checks the order of a stream's parts.
with client.chat.completions.stream(model="mini", stop=[stop], **common) as stream:
    assert stream.get_final_completion().choices[0].message.content == stopped.message.content

seeded = {"model": "mini", "messages": question, "seed": 7, "max_completion_tokens": 16}
answers = {client.chat.completions.create(**seeded).choices[0].message.content for _ in range(3)}
assert len(answers) == 1, answers

try:
    client.chat.completions.create(model="mini:none", **common)
    raise SystemExit("an unknown model was answered")
except openai.NotFoundError as error:
    assert error.code == "model_not_found" and error.param == "model", error.body

try:
    client.chat.completions.create(model="mini", messages=question, n=2)
    raise SystemExit("two answers were promised")
except openai.BadRequestError as error:
    assert error.param == "n", error.body

# Leaves in the middle; the server is asked again afterwards.
with client.chat.completions.create(model="mini", stream=True, messages=question, max_tokens=2000) as leaving:
    next(iter(leaving))
assert client.chat.completions.create(model="mini", **common).choices[0].message.content == whole["mini"]

print("openai", openai.__version__, "is content")
