// Interactive jobs at a real terminal: what is typed, shown, resized, interrupted and left.

import LabFixture
import Testing

@Suite("At a terminal", .serialized, .lab("tty", nodes: 2))
struct TerminalStories {
  private func interactive(_ lab: LabFixture, _ words: String..., user: String = "user1") throws
    -> Terminal
  {
    try Terminal(lab.words(["oarsub"] + words, as: user, on: "frontend", terminal: true))
  }

  @Test("oarsub -I opens a shell on the job's host, of the terminal's size, until it is left")
  func session() async throws {
    let lab = try LabFixture.here
    let terminal = try interactive(lab, "-I", "-l", "resource_id=1,walltime=0:5:0")
    let before = try await terminal.await("Connect to OAR job ")
    #expect(before.contains("Interactive mode: waiting..."))
    #expect(before.contains("Starting..."))
    let id = try #require(Int(try await terminal.await(" via the node node")))
    try await terminal.await("$ ")
    terminal.type("echo on $(hostname) in $OAR_JOB_ID: $(stty size); tty\n")
    try await terminal.await(" in \(id): 24 80\r\n/dev/pts/")
    terminal.resize(rows: 33, columns: 101)
    terminal.type("for i in 1 2 3 4 5 6 7 8 9; do stty size; sleep 0.1; done\n")
    try await terminal.await("33 101")
    terminal.type("grep -c oar/user1_$OAR_JOB_ID /proc/self/cgroup; echo code=$?\n")
    try await terminal.await("code=0")
    terminal.type("exit 3\n")
    try await terminal.await("Disconnected from OAR job \(id).")
    #expect(try await terminal.end() == 0)
    let job = try await lab.end(of: id)
    #expect(job.state == "Terminated")
    #expect(job.waitStatus == 3 << 8)
  }

  @Test("Ctrl-C interrupts the command, not the session; Ctrl-Z and fg work")
  func jobControl() async throws {
    let lab = try LabFixture.here
    let terminal = try interactive(lab, "-I", "-l", "resource_id=1,walltime=0:5:0")
    try await terminal.await("$ ")
    terminal.type("sleep 77; echo interrupted=$?\n")
    try await lab.eventually("pgrep -f 'slee[p] 77'", on: "node1")
    terminal.type("\u{3}")
    try await terminal.await("$ ")
    terminal.type("sleep 78\n")
    try await lab.eventually("pgrep -f 'slee[p] 78'", on: "node1")
    terminal.type("\u{1a}")
    try await terminal.await("Stopped")
    terminal.type("jobs; kill %1; fg\n")
    try await terminal.await("Stopped")
    try await terminal.await("$ ")
    terminal.type("test -t 0 && echo still a $(echo terminal)\n")
    try await terminal.await("still a terminal")
    terminal.type("\u{4}")
    try await terminal.await("Disconnected from OAR job")
    #expect(try await terminal.end() == 0)
  }

  @Test("oarsub -C opens another shell in a running job, and leaves it running")
  func connect() async throws {
    let lab = try LabFixture.here
    let id = try await lab.submit("-l", "resource_id=1,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: id)
    let terminal = try interactive(lab, "-C", String(id))
    try await terminal.await("Connect to OAR job \(id) via the node node")
    try await terminal.await("$ ")
    terminal.type("echo id=$OAR_JOB_ID; grep -o user1_$OAR_JOB_ID /proc/self/cgroup | head -1\n")
    try await terminal.await("id=\(id)\r\nuser1_\(id)")
    terminal.type("exit\n")
    try await terminal.await("Disconnected from OAR job \(id).")
    #expect(try await terminal.end() == 0)
    #expect(try await lab.job(id).state == "Running")
    try await lab.endAllJobs()
  }

  @Test("an interactive job that is deleted says so and gives the terminal back")
  func deleted() async throws {
    let lab = try LabFixture.here
    let terminal = try interactive(lab, "-I", "-l", "resource_id=1,walltime=0:5:0")
    try await terminal.await("Connect to OAR job ")
    let id = try #require(Int(try await terminal.await(" via the node")))
    try await terminal.await("$ ")
    try await lab.run("oardel", String(id))
    try await terminal.await("[ERROR] Job was terminated.")
    try await terminal.await("Disconnected from OAR job \(id).")
    #expect(try await terminal.end() == 0)
    #expect(try await lab.end(of: id).state == "Error")
  }

  @Test("Ctrl-C while an interactive job waits takes the job back")
  func interruptedWhileWaiting() async throws {
    let lab = try LabFixture.here
    let blocker = try await lab.submit("-l", "nodes=2,walltime=0:10:0", "sleep 600")
    try await lab.await("Running", of: blocker)
    let terminal = try interactive(lab, "-I", "-l", "nodes=1,walltime=0:5:0")
    let head = try await terminal.await("Start prediction: ")
    let id = try #require(
      head.split(whereSeparator: \.isNewline).compactMap {
        $0.hasPrefix("OAR_JOB_ID=") ? Int($0.dropFirst(11)) : nil
      }.first)
    terminal.type("\u{3}")
    #expect(try await terminal.end() != 0)
    #expect(try await lab.end(of: id).state == "Error")
    try await lab.endAllJobs()
  }

  @Test("a session outlives the server: it is killed and comes back, and the terminal goes on")
  func serverRestarts() async throws {
    let lab = try LabFixture.here
    let terminal = try interactive(lab, "-I", "-l", "resource_id=1,walltime=0:5:0")
    try await terminal.await("$ ")
    terminal.type("kept=yes\n")
    try await terminal.await("$ ")
    try await lab.restartServer()
    terminal.type("\necho kept is $kept\n")
    try await terminal.await("kept is yes")
    terminal.type("exit\n")
    try await terminal.await("Disconnected from OAR job")
    #expect(try await terminal.end() == 0)
  }
}
