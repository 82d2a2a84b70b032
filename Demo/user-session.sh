#!/bin/bash
# What an ordinary user does on the frontend: submits, watches, reads the outputs.
set -eu
cd "$HOME"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Runs oarsub, shows the command, and keeps the job's number in $job.
submit() {
  printf '  $ oarsub'
  for word; do
    if [[ $word =~ [^-A-Za-z0-9_./=,:+] ]]; then word="'$word'"; fi
    printf ' %s' "$word"
  done
  echo
  job=$(oarsub "$@" | sed -n 's/^OAR_JOB_ID=//p' | head -n 1)
  echo "    job $job"
  jobs="${jobs:-} $job"
}

say "1. A script with #OAR lines counts the words of this system's documents on two hosts"
submit -S ./wordcount.sh
count=$job

say "2. An array with a parameter file"
submit --array-param-file parameters.txt -l core=1,walltime=0:5 -n seasons ./season.sh
array=$job
jobs="$jobs $((array + 1)) $((array + 2)) $((array + 3))"

say "3. A chain: each waits for the one before"
submit -n first -l core=1,walltime=0:5 "date +%T.%N > chain.txt; sleep 1"
submit -n second -a "$job" -l core=1,walltime=0:5 "date +%T.%N >> chain.txt; sleep 1"
submit -n third -a "$job" -l core=1,walltime=0:5 "date +%T.%N >> chain.txt"

say "4. A job that fails, and one that runs into its walltime"
submit -n failing -l core=1,walltime=0:5 "echo no such luck >&2; exit 3"
failing=$job
submit -n slow -l core=1,walltime=0:0:4 "sleep 3600"
slow=$job

say "5. A job that wants the whole cluster must wait"
submit -n everything -l core=12,walltime=0:1 "wc -l < \$OAR_NODEFILE; sleep 1"
waiting=$job

say "The cluster now"
oarnodes -s | paste -sd ' ' | sed 's/ node/\nnode/g'
oarstat
say "Why job $waiting waits"
oarstat --why "$waiting"
say "The plan"
oarstat --gantt --text

say "What happens, as it happens"
# shellcheck disable=SC2086 -- a list of numbers
oarstat --follow $jobs

say "What they left"
echo "wordcount.out:"; sed 's/^/  /' wordcount.out
echo "the seasons:"
for ((i = array; i < array + 4; i++)); do sed 's/^/  /' "OAR.seasons.$i.stdout"; done
echo "the chain:"; sed 's/^/  /' chain.txt
echo "job $failing:"; oarstat -f -j "$failing" | grep -E 'state|exit_code'
echo "job $slow:"; oarstat -f -j "$slow" | grep -E ' state|WALLTIME'
echo "job $waiting:"; sed 's/.*/  & cores/' "OAR.everything.$waiting.stdout"
