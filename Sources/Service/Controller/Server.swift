// The server's process: settings, store, loop, signals.

import CLinux
import ClusterModel
import Glibc
import Wire

/// Runs `liburnad`.
public enum Server {
  /// Reads `oar.conf`, opens the database, serves until SIGTERM or SIGINT.
  public static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.contains("--version") || arguments.contains("-V") {
      return print("liburnad \(Controller.version)")
    }
    if arguments.contains("--help") || arguments.contains("-h") {
      return print(
        """
        usage: liburnad [--leave | --version]
          --leave  go back to OAR 2 after a crash: start nothing, bring to an end what an OAR 2 server
                   can't go on with, and stop
        Settings come from /etc/oar/oar.conf or OARCONFFILE.
        """)
    }
    let leaves = arguments.first == "--leave"
    if let unknown = arguments.dropFirst(leaves ? 1 : 0).first {
      fail("unknown option \"\(unknown)\" (there are --leave, --version and --help)")
    }
    signal(SIGPIPE, SIG_IGN)
    // Before any other thread begins: they inherit the mask.
    let stopSignals = blockStopSignals()
    raiseOpenFiles()
    let loop = EventLoop()
    do {
      let settings = try ServerSettings(Configuration.ofThisHost())
      Task { await serve(settings, loop, stopSignals, leaves: leaves) }
    } catch {
      fail("\(error)")
    }
    loop.run()
  }

  private static func serve(
    _ settings: ServerSettings, _ loop: EventLoop, _ stopSignals: Int32, leaves: Bool
  ) async {
    do {
      // Before anything is made in the database.
      try settings.refuseBesideAlmighty()
      let storage = try await settings.database.open(
        settings.withOAR2 == nil ? .ours : .sharedWithOurTables)
      let controller = Controller(settings: settings, storage: storage, loop: loop)
      if leaves { return try await controller.leave() }
      try await controller.start()
      await controller.stop(on: stopSignals)
      ServiceManager().tellReady()
    } catch {
      fail("\(error)")
    }
  }

  /// SIGTERM and SIGINT come through the returned descriptor.
  private static func blockStopSignals() -> Int32 {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    return signalfd(-1, &signals, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
  }

  /// Every command and every host costs descriptors.
  private static func raiseOpenFiles() {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(kind, &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 65536)
    setrlimit(kind, &limit)
  }

  private static func fail(_ text: String) -> Never {
    let line = "liburnad: \(text)\n"
    _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
    exit(1)
  }
}

extension Controller {
  /// Stops in good order when a signal comes through `descriptor`; jobs go on.
  fileprivate func stop(on descriptor: Int32) {
    loop.watch(descriptor, for: .read) { _ in
      var information = signalfd_siginfo()
      guard read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size) > 0 else { return }
      ServiceManager().tellStopping()
      Task { await self.stop() }
    }
  }
}
