# Every target works from a fresh clone: the tools it needs are made first, once.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.stamp
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: venv tools deps deps-vagrant check test test-unit test-full test-vagrant torture molecule drill drill-vagrant \
	bench box lab-up lab-down lab-ssh lock clean

venv: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml bin/setup
	@sh bin/setup venv $(VENV)
	@touch $@

# Debian packages: what tests without machines run (git, ssh ...); what the lab needs, too (qemu, mmdebstrap ...).
# apt is asked only when something is missing.
tools:
	@sh bin/setup tools

deps:
	@sh bin/setup packages

# Vagrant and the programs of libvirt, without its service: nothing is started on this computer.
deps-vagrant: deps
	@sh bin/setup vagrant

check: $(STAMP)
	ruff format --check -q . && ruff check -q . && mypy

test-unit: $(STAMP) tools
	pytest -q tests/unit tests/contract

# What takes root, and a kernel that lets it make namespaces, is left out elsewhere, and says so.
ALLOWED := [ "$$(id -u)" = 0 ] && [ -c /dev/net/tun ] && unshare --mount --net --pid --fork --mount-proc true 2>/dev/null
IF_ROOT := @if_root() { if $(ALLOWED); then $(MAKE) "$$1"; else echo "left out, it takes root that may make a network of its own: make $$1"; fi; }; if_root

test: $(STAMP) deps
	pytest -q tests/unit tests/contract
	pytest -q tests/page
	pytest -v tests/lab -m "not slow"
	$(IF_ROOT) test-vagrant
	pytest -v tests/molecule -m "not slow"

# Several runs: a test on machines may carry the name of the unit test of the same thing.
test-full: $(STAMP) deps
	pytest -q tests/unit tests/contract
	pytest -q tests/page
	$(MAKE) torture
	$(PY) -m blackstart lab torture
	pytest -v tests/molecule
	pytest -v tests/lab
	$(IF_ROOT) test-vagrant

# One machine under Vagrant, beside a libvirt and in a network of its own: root is needed for those.
test-vagrant: $(STAMP) deps-vagrant
	$(PY) -m blackstart.vagrant own -- pytest -v tests/vagrant

# Random losses, simulated: no machine is needed. One seed alone: python -m blackstart.torture --seed N
torture: $(STAMP)
	$(PY) -m blackstart.torture

# Losses as Molecule's scenarios; SCENARIO=drill (or importable, vault-lost) runs that one.
molecule: $(STAMP) deps
	pytest -v tests/molecule $(if $(SCENARIO),-k $(SCENARIO))

drill: $(STAMP) deps
	$(PY) -m blackstart drill-lab

# The same on Vagrant's machines, in a network of its own.
drill-vagrant: $(STAMP) deps-vagrant
	$(PY) -m blackstart.vagrant own -- $(PY) -m blackstart.vagrant drill

# The lab's image, for Vagrant: see docs/vagrant.md.
box: $(STAMP) deps-vagrant
	$(PY) -m blackstart.vagrant box

bench: $(STAMP) deps
	$(PY) -m blackstart bench

lab-up: $(STAMP) deps
	$(PY) -m blackstart lab up node1 vault1

lab-down: $(STAMP)
	$(PY) -m blackstart lab down

lab-ssh: $(STAMP)
	@$(PY) -m blackstart lab ssh $(or $(NODE),node1)

# After a change of the ranges in pyproject.toml. Needs uv; everything else needs only what it writes.
# requirements.lock: what runs, which vaults get too. requirements-dev.lock: that and what tests and checks need.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
lock:
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: lab-down
	rm -rf .venv .cache .lab
