#!/bin/bash
# Counts the words of every document under /usr/share/doc on two hosts, and merges the counts.
#OAR -n wordcount
#OAR -l host=2/core=2,walltime=0:10:0
#OAR -O wordcount.out
#OAR -E wordcount.err
set -eu

work=$HOME/wordcount.$OAR_JOB_ID
mkdir -p "$work"
mapfile -t hosts < <(sort -u "$OAR_NODEFILE")
echo "job $OAR_JOB_ID counts on ${#hosts[@]} hosts: ${hosts[*]}"

# Each host takes every n-th document; oarsh runs the count in the job's own cgroup there.
for i in "${!hosts[@]}"; do
  oarsh "${hosts[$i]}" "$HOME/count-part.sh" "$i" "${#hosts[@]}" "$work/part.$i" &
done
wait

echo "documents per host:"
for i in "${!hosts[@]}"; do
  printf '  %-8s %s\n' "${hosts[$i]}" "$(wc -l <"$work/part.$i.files") documents"
done
echo "the ten commonest words:"
sort -k2,2 "$work"/part.[0-9] |
  awk '{ if ($2 == word) { n += $1 } else { if (word) print n, word; word = $2; n = $1 } }
       END { print n, word }' |
  sort -rn | head -n 10 | awk '{ printf "  %8d %s\n", $1, $2 }'
