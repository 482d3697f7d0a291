"""The least that prints a streamed reply: one question a line, each token as it comes."""

from __future__ import annotations

import sys

from openai import OpenAI


def main() -> None:
    client = OpenAI(base_url=sys.argv[1], api_key="none")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        chunks = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": line.strip()}], stream=True
        )
        for chunk in chunks:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                sys.stdout.write(text)
                sys.stdout.flush()
        sys.stdout.write("\nready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
