// Words on the server's port, from anybody: which are understood, and what is refused.

import ClusterModel
import Storage
import Testing

@testable import Controller

@Suite("Words to the server") struct ServerWordTests {
  @Test(
    "the words of OAR 2's commands ask for a look at the database",
    arguments: ["Qsub", "Qsub -I", "Qdel", "Qresume", "Walltime", "ChState", "Term", "BipBip"])
  func looks(_ line: String) {
    #expect(ServerWord(line) == .look)
  }

  @Test("words with a job are read whole")
  func jobs() throws {
    #expect(ServerWord("OARRUNJOB_127") == .run(127))
    #expect(ServerWord("LEONEXTERMINATE_5") == .exterminate(5))
    #expect(ServerWord("Scheduling") == .plan)
    guard case .ended(let end)? = ServerWord("OAREXEC_127_0_256_617188648411") else {
      Issue.record("not understood")
      return
    }
    #expect(end.job == 127 && end.code == 0 && end.status == 256)
    #expect(end.arguments == ["127", "0", "256", "617188648411"])
    guard case .ended(let killed)? = ServerWord("OAREXEC_130_3_N_892161992701") else {
      Issue.record("not understood")
      return
    }
    #expect(killed.status == nil && killed.arguments == ["130", "3", "N", "892161992701"])
  }

  @Test(
    "a field that can't be makes a line one that is not understood",
    arguments: [
      "", " ", "qsub", "Qsubx", "OARRUNJOB", "OARRUNJOB_", "OARRUNJOB_0", "OARRUNJOB_-1",
      "OARRUNJOB_1_2", "OARRUNJOB_+1", "OARRUNJOB_1 ", "OARRUNJOB_99999999999", "OARRUNJOB_٣",
      "OAREXEC_1_0_0", "OAREXEC_1_0_0_", "OAREXEC_1_0_0_12_", "OAREXEC_1_256_0_12",
      "OAREXEC_1_0_65536_12", "OAREXEC_1_0_n_12", "OAREXEC_1_0_0_12;id", "OAREXEC_1_0_0_$(id)",
      "OAREXEC_1_0_0_12 34", "OAREXEC__0_0_12", "LEONEXTERMINATE_x", "GET / HTTP/1.1",
    ])
  func refused(_ line: String) {
    #expect(ServerWord(line) == nil)
    #expect(ServerWord("OAREXEC_1_0_0_" + String(repeating: "1", count: 65)) == nil)
    #expect(ServerWord(String(repeating: "Qsub ", count: 100)) == nil)
  }

  @Test("a challenge proves the sender only if it is the job's to the last digit")
  func challenges() throws {
    guard case .ended(let end)? = ServerWord("OAREXEC_1_0_0_1234") else {
      Issue.record("not understood")
      return
    }
    #expect(end.proves("1234"))
    for wrong in ["1235", "123", "12345", "", "0234"] { #expect(!end.proves(wrong)) }
  }

  @Test("what is not understood is said ten times a minute at most, without the sender's bytes")
  func remarks() {
    var remarks = BoundedRemarks()
    let first = remarks.remark(on: "\u{1b}[31mred\nline", at: 0)
    #expect(first == "SERVER_PORT: not understood: \"?[31mred?line\"")
    let more = (0..<1000).compactMap { _ in remarks.remark(on: "x", at: 1) }
    #expect(more.count == 9 && more.last?.contains("not shown") == true)
    #expect(remarks.remark(on: "x", at: 60_000_000_000) != nil)
  }
}

@Suite("Ids on a shared database") struct JobHorizonTests {
  private func news(_ jobs: [JobID] = [], incomplete: [JobID] = [], ended: [JobID] = []) -> News {
    var news = News()
    news.jobs = jobs.map { heldJob($0, on: [1], .waiting) }
    news.incompleteJobs = incomplete
    news.endedJobs = ended
    news.lastJob = (jobs + incomplete + ended).max() ?? 0
    return news
  }

  @Test("an id that was passed over is looked for again, until it comes or is given up")
  func gaps() {
    var horizon = JobHorizon()
    horizon.begin(at: 10, missing: [], now: 0)
    #expect(horizon.settle(news([12], incomplete: [13]), at: 0) { _ in false } == [])
    #expect(horizon.next == 14 && horizon.lookedFor == [10, 11, 13] && horizon.hasIncomplete)
    _ = horizon.settle(news([10, 13]), at: 1) { _ in false }
    #expect(horizon.lookedFor == [11] && !horizon.hasIncomplete)
    #expect(horizon.settle(news(), at: JobHorizon.patience + 1) { _ in false } == [])
    #expect(horizon.lookedFor == [])
  }

  @Test("a submission that never gets all its rows is set aside with a sentence")
  func halves() {
    var horizon = JobHorizon()
    horizon.begin(at: 1, missing: [], now: 0)
    _ = horizon.settle(news(incomplete: [1]), at: 0) { _ in false }
    #expect(horizon.settle(news(incomplete: [1]), at: 100) { _ in false } == [])
    let said = horizon.settle(news(incomplete: [1]), at: JobHorizon.longPatience + 1) { _ in false }
    #expect(said.count == 1 && said[0].contains("job 1 was set aside"))
  }

  @Test("our own ids and those of a great jump are not looked for")
  func jumps() {
    var horizon = JobHorizon()
    horizon.begin(at: 1, missing: [], now: 0)
    horizon.add(own: 1..<3)
    _ = horizon.settle(news([4]), at: 0) { $0 == 3 }
    #expect(horizon.lookedFor == [] && horizon.isOwn(2) && !horizon.isOwn(4))
    _ = horizon.settle(news([2_000_000_000]), at: 0) { _ in false }
    #expect(horizon.lookedFor == [] && horizon.next == 2_000_000_001)
  }
}
