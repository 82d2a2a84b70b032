// The load: several shells on the frontend that submit short jobs, one after the other, and note which
// ones were acknowledged and with which exit code `oarsub --wait` ended.

import LabFixture

struct Load {
  let lab: LabFixture

  /// What a job does: one line when it begins, one when it ends, an exit code that its id gives.
  private static let job = """
    #!/bin/bash
    echo "begin $OAR_JOB_ID ${EPOCHREALTIME/./}" >> ~/torture/log
    sleep 0.$((RANDOM % 4))
    echo "end $OAR_JOB_ID ${EPOCHREALTIME/./}" >> ~/torture/log
    exit $((OAR_JOB_ID % 5))
    """

  /// Submits until the file `stop` is there. The words after the name are for oarsub.
  private static let submitter = """
    #!/bin/bash
    cd ~/torture
    while [ ! -e stop ]; do
      coproc oarsub "$@" ~/torture/job 2>>errors
      child=$COPROC_PID id=
      while read -r line; do
        case $line in OAR_JOB_ID=*) id=${line#*=}; echo $id >> acknowledged;; esac
      done <&${COPROC[0]}
      wait $child
      echo "$? $id" >> codes
      [ -n "$id" ] || sleep 0.1
    done
    """

  static func start(in lab: LabFixture) async throws -> Load {
    try await lab.shell("mkdir torture")
    try await lab.write(job, to: "torture/job")
    try await lab.write(submitter, to: "torture/submitter")
    try await lab.shell(
      """
      cd torture; chmod +x job submitter
      for words in "--wait" "--wait" "--wait -l core=2" "--wait -l nodes=2" "--array 3 --wait"; do
        setsid ./submitter $words </dev/null >/dev/null 2>&1 &
      done
      """)
    return Load(lab: lab)
  }

  /// Submits no more and waits until all jobs have ended.
  func stop() async throws {
    try await lab.shell("touch torture/stop")
    try await lab.eventually("! pgrep -x submitter >/dev/null", within: 120)
    try await lab.run("oarstat", "--follow", within: 120)
  }
}
