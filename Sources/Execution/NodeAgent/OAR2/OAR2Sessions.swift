// Sessions that OAR 2's `oarsub -I` and `oarsub -C` opened in a job of ours, on hosts where OAR has no cgroups:
// they end with the job.

import ClusterModel
import Glibc
import Wire

enum OAR2Sessions {
  /// The most processes that are looked at.
  static let countLimit = 1000

  /// Kills what the listed processes' sessions consist of. A process counts if its command line says that it is
  /// of this job: numbers are used again.
  static func end(listedIn path: String, of job: JobID) {
    let numbers = (Files.text(path) ?? "").split { $0 == "\n" || $0 == " " }.prefix(countLimit)
    let mark = "OAR_JOBID=\(job);"
    let leaders = Set(
      numbers.compactMap { pid_t($0) }.filter { number in
        number > 1 && (Files.text("/proc/\(number)/cmdline") ?? "").contains(mark)
      }.map { getsid($0) }.filter { $0 > 1 })
    guard !leaders.isEmpty else { return }
    for name in Files.names(in: "/proc") {
      guard let process = pid_t(name), leaders.contains(getsid(process)) else { continue }
      kill(process, SIGKILL)
    }
  }
}
