// How `oarsub` tells that a job waits: a line whenever the forecast of its start changes.

import ClusterModel
import CommandLine
import Wire

/// Turns notices of a waiting job into OAR's lines.
struct StartForecast {
  private var lastLine = ""

  /// The line to print for a notice; `nil` if it says nothing new.
  mutating func line(for notice: JobNotice) -> String? {
    let forecast: String
    let stamp: String
    switch (notice.state, notice.plannedStart) {
    case (.hold, _):
      (stamp, forecast) = ("", "Start prediction: undefined (Hold)")
    case (.waiting, let start?) where start > 0:
      let reason = notice.text.isEmpty ? "" : " (\(notice.text))"
      stamp = "[\(LocalDate(notice.date).text)] "
      forecast = "Start prediction: \(LocalDate(start).text)\(reason)"
    default:
      return nil
    }
    guard forecast != lastLine else { return nil }
    lastLine = forecast
    return stamp + forecast
  }
}

/// The exit code that a shell would see of a raw wait status.
func shellExitCode(_ status: Int) -> Int32 {
  let signal = status & 0x7f
  return signal == 0 ? Int32(status >> 8 & 0xff) : Int32(128 + signal)
}
