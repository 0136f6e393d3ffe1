"""Writes to a config file as `aws configure set` does, with the AWS CLI's own writer, from "go" to "stop".

writer.py CONFIG SEED: reads lines from stdin. After "stop" it prints {"values": {section: value}, "writes": N,
"slowest": seconds}, where slowest is the longest time from reading the file to opening it for writing: whoever replaces the file meanwhile is undone.
"""
import builtins
import json
import queue
import random
import sys
import threading
import time

from awscli.customizations.configure import writer as configure

config, chance = sys.argv[1], random.Random(int(sys.argv[2]))
lines = queue.Queue()


def read_lines():
    for line in sys.stdin:
        lines.put(line.strip())
    lines.put("end")


def timed_open(name, mode="r"):
    global opened, slowest
    if mode == "w":
        slowest = max(slowest, time.monotonic() - opened)
    opened = time.monotonic()
    return builtins.open(name, mode)


configure.open = timed_open
threading.Thread(target=read_lines, daemon=True).start()
writer, written = configure.ConfigFileWriter(), 0
while lines.get() == "go":
    values, slowest, writes = {}, 0, 0
    while lines.empty():
        written += 1
        writes += 1
        section = "profile cli-%02d" % chance.randrange(40)
        before = time.monotonic()
        writer.update_config({"__section__": section, "output": "text", "region": "r-%d" % written}, config)
        values[section] = "r-%d" % written
        # Real programs start for each write, and homing waits for the large file to rest.
        time.sleep(chance.random() ** 2 * (0.05 + 20 * (time.monotonic() - before)))
    lines.get()
    print(json.dumps({"values": values, "slowest": slowest, "writes": writes}), flush=True)
