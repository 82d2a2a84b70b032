#!/bin/bash
# One job of the array: its parameters are a season and its days.
echo "job $OAR_JOB_ID is number $OAR_ARRAY_INDEX of array $OAR_ARRAY_ID: $1 has $2 days"
sleep 1
