// The process of bebidad: settings, loop, signals.

import ClusterModel
import Glibc
import Wire

/// Runs `bebidad`.
public enum BebidaProgram {
  /// Reads `/etc/bebida/bebida.conf`, or the file that BEBIDACONFFILE names; serves until it is ended.
  public static func main() {
    let words = CommandLine.arguments.dropFirst()
    if words.contains("--version") || words.contains("-V") {
      return print("bebidad \(liburnaVersion)")
    }
    if words.contains("--help") || words.contains("-h") {
      return print(
        """
        usage: bebidad [--version]
        Lends the nodes that Slurm or OAR 2 does not need to Kubernetes. Settings come from
        /etc/bebida/bebida.conf or BEBIDACONFFILE.
        """)
    }
    if let unknown = words.first {
      fail("unknown option \"\(unknown)\" (there are --help and --version)")
    }
    signal(SIGPIPE, SIG_IGN)
    let loop = EventLoop()
    Task { await serve(loop) }
    loop.run()
  }

  private static func serve(_ loop: EventLoop) async {
    do {
      let path = getenv("BEBIDACONFFILE").map { String(cString: $0) }
      let configuration = try Configuration.contents(of: path ?? Configuration.bebidaPath)
      let settings = try LendingServerSettings(configuration)
      let side: any BatchSide =
        switch settings.system {
        case .slurm: SlurmSide(configuration, loop: loop, say: say)
        case .oar: try OARSide(configuration, loop: loop)
        }
      try await LendingServer(settings, side: side, loop: loop, log: say).start()
    } catch {
      fail("\(error)")
    }
  }

  @Sendable private static func say(_ text: String) {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    strftime(&buffer, buffer.count, "%F %T", &parts)
    let stamp = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    write("\(stamp) \(text)\n")
  }

  private static func fail(_ text: String) -> Never {
    write("bebidad: \(text)\n")
    exit(1)
  }

  private static func write(_ line: String) {
    _ = line.utf8.withContiguousStorageIfAvailable { Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
