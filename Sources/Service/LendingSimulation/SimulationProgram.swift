// `--simulate`: the entry of the server's program for `bebida simulate`.

import Glibc

/// Plays lending on a cluster that there is not, and tells what came of it.
public enum SimulationProgram {
  /// The first word of a call.
  public static let word = "--simulate"

  /// Whether the words of a program (its name left out) are for the simulation.
  public static func isCall(_ words: some Collection<String>) -> Bool { words.first == word }

  /// Plays, prints the table, and ends.
  ///
  /// - Parameter words: `--simulate [WORKLOADS NODES PICTURE]`, as `bebida simulate` writes them: numbers, and the
  ///   path of a picture or nothing.
  public static func main(_ words: some Collection<String>) -> Never {
    var settings = SimulationSettings()
    let words = Array(words.dropFirst())
    if words.count == 3, let workloads = Int(words[0]), let nodes = Int(words[1]) {
      (settings.workloads, settings.nodes) = (workloads, nodes)
    }
    let picture = words.count == 3 ? words[2] : ""
    Task { [settings] in
      let report = await SimulationReport.played(settings)
      print(report.text, terminator: "")
      exit(picture.isEmpty || write(report.picture, to: picture) ? 0 : 1)
    }
    while true { sleep(1000) }
  }

  private static func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "we") else {
      let reason = String(cString: strerror(errno))
      let line = "bebida: \(path) can't be written: \(reason)\n"
      _ = line.utf8.withContiguousStorageIfAvailable { Glibc.write(2, $0.baseAddress, $0.count) }
      return false
    }
    return fputs(text, file) >= 0 && fclose(file) == 0
  }
}
