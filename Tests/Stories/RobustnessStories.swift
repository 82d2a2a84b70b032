// What breaks around the server: its database, its disk, what is said to its sockets; and what it does
// about that.

import Glibc
import LabFixture
import Testing

@Suite("Broken surroundings", .serialized, .lab("robust", nodes: 2))
struct RobustnessStories {
  private static let database = "/var/lib/oar/oar.sqlite"

  @Test(
    "a damaged database is refused by name and left as it is",
    arguments: [
      "truncated": "truncate -s 5000 $db", "cut to nothing but a header": "truncate -s 100 $db",
      "overwritten": "dd if=/dev/urandom of=$db bs=4096 seek=2 count=20 conv=notrunc status=none",
      "another file": "head -c 20000 /dev/urandom > $db",
    ].sorted { $0.key < $1.key }.map { [$0.key, $0.value] })
  func damaged(_ damage: [String]) async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit("--hold", "true")
    // The server may write no more, and its successor must find the damage.
    try await lab.shell(
      """
      db=\(Self.database)
      pkill -STOP -x liburnad
      # A thread stops when it has finished what the kernel does for it.
      while grep -hs '^State:' /proc/$(pgrep -x liburnad)/task/*/status | grep -qv 'T (stopped)'; do
        sleep 0.01
      done
      cp -p $db $db.good; cp -p $db-wal $db.good-wal
      \(damage[1])
      rm -f $db-wal $db-shm
      sha256sum < $db > $db.sum
      pkill -KILL -x liburnad
      """, as: "root", on: "server")
    try await lab.eventually(
      "! oarqueue >/dev/null 2>&1 && ! pgrep -x liburnad >/dev/null", as: "root", on: "server")
    let refusal = try await lab.run("timeout", "10", "liburnad", as: "oar", on: "server")
    #expect(refusal.exitCode != 0 && refusal.exitCode != 124, "\(refusal)")
    #expect(refusal.stderr.contains(Self.database), "\(refusal)")
    let same = try await lab.run(
      "bash", "-c", "sha256sum < \(Self.database) | cmp - \(Self.database).sum", as: "root",
      on: "server")
    #expect(same.exitCode == 0, "the server changed the file that it refused")
    let command = try await lab.run("oarstat")
    #expect(command.exitCode == 25)
    #expect(command.stderr.contains("Cannot reach the server"))
    try await lab.shell(
      """
      db=\(Self.database)
      rm -f $db-wal $db-shm
      mv $db.good $db; mv $db.good-wal $db-wal
      """, as: "root", on: "server")
    try await lab.startServer()
    #expect(try await lab.job(id).state == "Hold")
    try await lab.endAllJobs()
  }

  @Test("garbage on the server's sockets closes that connection and harms nobody")
  func garbage() async throws {
    let lab = try LabFixture.here
    let deaths = try await lab.serverDeaths()
    let script = """
      import os, socket, sys
      def connect():
          if sys.argv[1] == "unix":
              s = socket.socket(socket.AF_UNIX); s.connect("/run/liburna/liburnad.sock")
          else:
              s = socket.create_connection(("server", 6668))
          s.settimeout(20)
          return s
      def frame(body): return len(body).to_bytes(4, "big") + body
      attacks = [
          b"GET / HTTP/1.0\\r\\n\\r\\n", os.urandom(100000), b"\\0" * 5, b"\\xff" * 64,
          frame(b""), frame(b"\\0"), frame(b"\\0" + b"\\x9f" * 60000), frame(b"\\0" + b"\\xbf" * 30000),
          frame(b"\\0" + b"\\x5b" + b"\\xff" * 8), frame(b"\\0" + b"\\x9b" + b"\\x7f" * 8),
          frame(b"\\0" + b"\\xd8" * 50000 + b"\\0"), frame(b"\\1\\0\\0\\0\\1x"), frame(b"\\7hello"),
          b"\\x7f\\xff\\xff\\xff\\0", frame(b"\\0\\xa1gversionx"),
          frame(b"\\0\\xa1\\x67version\\x19\\x03\\xe7"),
      ]
      for attack in attacks:
          s = connect()
          try:
              s.sendall(attack)
              s.shutdown(socket.SHUT_WR)
              while s.recv(65536): pass
          except TimeoutError: raise
          # The server has closed already, perhaps even before the shutdown.
          except OSError: pass
          s.close()
      idle = [connect() for _ in range(50)]
      print("attacked", len(attacks))
      """
    for (way, host) in [("unix", "server"), ("tcp", "frontend")] {
      let result = try await lab.run("/usr/bin/python3", "-c", script, way, on: host)
      #expect(result.word == "attacked 16", "\(result)")
      #expect(try await lab.run("oarsub", "--wait", "true", on: host).exitCode == 0)
    }
    #expect(try await lab.serverDeaths() == deaths)
  }

  @Test("an agent answers garbage and other versions with an end, not with harm")
  func agentGarbage() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit(
      "-p", "host = 'node1'", "-l", "nodes=1", "until [ -e done ]; do sleep 0.05; done")
    try await lab.await("Running", of: id)
    for input in [
      "head -c 100000 /dev/urandom", "printf '\\0\\0\\0\\1\\0'", "printf '\\377\\377\\377\\377\\0'",
    ] {
      let result = try await lab.run(
        "bash", "-c", "\(input) | timeout 20 liburna-node agent | head -c 1000 | wc -c", as: "root",
        on: "node1")
      #expect(result.exitCode == 0, "\(input): \(result)")
    }
    try await lab.shell("touch done")
    #expect(try await lab.end(of: id).state == "Terminated")
    #expect(try await lab.run("oarsub", "--wait", "true").exitCode == 0)
  }

  @Test("a host whose agent speaks another version is not used, and the log says why")
  func otherVersion() async throws {
    let lab = try LabFixture.here
    // {"hello":{"version":999,"host":"node2","attempts":[]}} as a frame.
    let fake = """
      #!/usr/bin/python3
      import sys
      def text(s): return bytes([0x60 + len(s)]) + s.encode()
      body = (b"\\xa1" + text("hello") + b"\\xa3" + text("version") + b"\\x19\\x03\\xe7"
              + text("host") + text("node2") + text("attempts") + b"\\x80")
      frame = b"\\0" + body
      sys.stdout.buffer.write(len(frame).to_bytes(4, "big") + frame)
      sys.stdout.flush()
      sys.stdin.buffer.read()
      """
    try await lab.write(fake, to: "/usr/local/sbin/liburna-node", as: "root", on: "node2")
    try await lab.shell(
      "chmod +x /usr/local/sbin/liburna-node; pkill -9 -x liburna-node", as: "root", on: "node2")
    let id = try await lab.submit(
      "-p", "host = 'node2'", "-l", "nodes=1,walltime=0:1:0", "hostname")
    let other = try await lab.submit(
      "-p", "host = 'node1'", "-l", "nodes=1,walltime=0:1:0", "hostname")
    #expect(try await lab.end(of: other).state == "Terminated")
    #expect(try await lab.job(id).state != "Terminated")
    try await lab.awaitServerLog("node2 is not reached: its agent speaks version 999")
    try await lab.shell("rm /usr/local/sbin/liburna-node", as: "root", on: "node2")
    #expect(try await lab.end(of: id, within: 180).state == "Terminated")
  }
}

@Suite("A full disk", .serialized, .lab("disk", nodes: 1))
struct FullDiskStory {
  /// Moves the database to a file system of eight megabytes.
  private func moveDatabase(_ lab: LabFixture) async throws {
    try await lab.shell(
      """
      pkill -STOP -x liburnad
      cd /var/lib/oar
      mkdir small
      mount -t tmpfs -o size=8m,mode=0755 tmpfs small
      cp -p oar.sqlite oar.sqlite-wal small/
      chown -R oar: small
      echo 'DB_BASE_FILE="/var/lib/oar/small/oar.sqlite"' >> /etc/oar/oar.conf
      pkill -KILL -x liburnad
      until oarqueue >/dev/null 2>&1; do sleep 0.05; done
      """, as: "root", on: "server")
  }

  @Test("a full disk refuses submissions, harms no job, and loses no end of one")
  func fullDisk() async throws {
    let lab = try LabFixture.here
    try await moveDatabase(lab)
    let id = try await lab.submit(
      "-l", "resource_id=1", "until [ -e over ]; do sleep 0.05; done; exit 3")
    try await lab.await("Running", of: id)
    let deaths = try await lab.serverDeaths()
    try await lab.shell(
      "cat /dev/zero > /var/lib/oar/small/ballast 2>/dev/null || true", as: "oar", on: "server")
    let long = String(repeating: "x", count: 100_000)
    var refused = try await lab.run("oarsub", "--hold", "true \(long)")
    for _ in 0..<20 where refused.exitCode == 0 {
      refused = try await lab.run("oarsub", "--hold", "true \(long)")
    }
    #expect(refused.exitCode != 0)
    #expect(refused.stderr.contains("disk") || refused.stderr.contains("full"), "\(refused)")
    #expect(try await lab.run("oarstat", "-s", "-j", String(id)).stdout == "\(id): Running\n")
    let before = try await lab.jobs("--sql", "state = 'Hold'").count
    try await lab.shell("touch over")
    try await lab.eventually("! pgrep -u user1 >/dev/null", as: "root", on: "node1")
    try await lab.shell("rm /var/lib/oar/small/ballast", as: "oar", on: "server")
    let job = try await lab.end(of: id)
    #expect(job.state == "Terminated")
    #expect(job.exitCode == 3)
    #expect(try await lab.jobs("--sql", "state = 'Hold'").count == before)
    #expect(try await lab.run("oarsub", "--wait", "-l", "resource_id=1", "exit 5").exitCode == 5)
    #expect(try await lab.serverDeaths() == deaths)
    try await lab.restartServer()
    #expect(try await lab.job(id).exitCode == 3)
  }
}
