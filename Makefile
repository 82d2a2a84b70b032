# Everything a newcomer needs: make demo, make test. `make help` lists the rest.

BUILD_RELEASE = swift build -c release --static-swift-stdlib
RELEASE = .build/release
BEBIDA_STORY = Scripts/setup tests && $(RELEASE)/liburna lab test -n 2 -c
PROGRAMS = --product liburna --product liburnad --product liburna-node

.PHONY: help setup build release deb demo demo-down test lint format bench bench-planner bench-lab bench-oar2 bench-bebida \
	story-lab story-oar2 story-bebida-liburna story-bebida-oar story-bebida-slurm story-bebida-hazards \
	torture bebida-torture torture-planner clean

help:            ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup:           ## install from Debian what is missing
	@Scripts/setup

build: setup     ## build everything for development
	swift build --build-tests

release: setup   ## build the programs as they are shipped
	@Scripts/build-release

deb: release     ## make Debian packages of the programs, in .build/packages
	@Scripts/build-deb

demo: release    ## a cluster on this machine, and jobs on it
	@Demo/run $(RELEASE)

demo-down:       ## end the demo's cluster; nothing stays
	@Demo/stop $(RELEASE)

test:            ## build and pass all tests
	@Scripts/setup tests
	@Scripts/test

lint:            ## check the style of every source file
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

format:          ## bring every source file into the house's style
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

bench: release   ## print every figure of the performance targets
	@Benchmarks/run

bench-planner: setup   ## print how fast the planner is, and its targets
	@Benchmarks/planner

story-lab:       ## run every shipped composition on every backend that this machine has
	@Scripts/setup tests
	@Scripts/story-lab

story-oar2:      ## judge Liburna with OAR 2 on a real OAR 2: 1,000 jobs through each configuration
	@Scripts/setup tests
	@Scripts/story-oar2

story-bebida-liburna: release ## show nodes change hands between a real Kubernetes and our own server
	@$(BEBIDA_STORY) bebida-liburna

story-bebida-oar: release ## the same with OAR 2
	@$(BEBIDA_STORY) bebida-oar

story-bebida-slurm: release ## the same with Slurm
	@$(BEBIDA_STORY) bebida-slurm

story-bebida-hazards: release ## show what shell scripts that drain nodes do wrong, and bebida in the same places
	@Scripts/setup tests
	@Scripts/story-bebida-hazards

bench-lab: release ## print how fast labs come and go, and what they take
	@Scripts/setup tests
	@Benchmarks/lab --no-build

bench-oar2: release ## time a pass over a queue of a real OAR 2 beside OAR's own scheduler
	@Scripts/setup tests
	@Benchmarks/oar2 --no-build

bench-bebida: release ## time jobs' waiting for nodes that are lent, beside shell scripts that drain them
	@Scripts/setup tests
	@Benchmarks/bebida/measure

torture: setup   ## kill servers and agents 10,000 times and look for damage
	@LIBURNA_TORTURE_KILLS=10000 Scripts/test --filter Faults

bebida-torture: setup ## have 10,000 nodes change hands between Kubernetes and jobs, and look for a pod beside a job
	@LIBURNA_HAND_OVERS=10000 Scripts/test --filter LenderTests.handOvers

torture-planner: setup ## judge the plans of 100,000 random scenarios
	@LIBURNA_SCENARIOS=100000 Scripts/test --filter KaoTests.PropertyTests

clean:           ## remove what was built
	rm -rf .build
