// What is left behind by crashes, found and removed without knowing what it was.

import Compositions
import Glibc
import Testing

@testable import Lab

extension LabSuite {
  @Suite("cleaning up after crashes")
  struct CleaningTests {
    @Test("a lab whose switch died is removed, and one that is well is left alone")
    func deadHolder() throws {
      try TestLab.run("well") { (well) throws in
        let test = try TestLab(
          lab: Lab(name: "broken-\(getpid())", directory: well.place + "/broken-\(getpid())"),
          place: well.place + "/broken-\(getpid())")
        try test.start()
        let holder = try #require(try test.lab.state()?.holder)
        Glibc.kill(holder.pid, SIGKILL)
        while holder.isAlive { usleep(1000) }
        let found = try Lab.clean(in: well.place)
        #expect(found == [Leftover(lab: test.lab.name, what: "hosts whose switch is gone")])
        #expect(test.remains == [])
        #expect(try well.lab.status()?.allAnswer == true)
      }
    }

    @Test("a lab whose state another version wrote is removed, and everything of it is ended")
    func unreadableState() throws {
      let before = Machine.now
      let place = "/tmp/liburna-lab-tests-\(getpid())-unreadable"
      let name = "unreadable-\(getpid())"
      let test = try TestLab(
        lab: Lab(name: name, directory: "\(place)/\(name)"), place: "\(place)/\(name)")
      for isCleaned in [true, false] {
        try test.start()
        try Files.replace(test.lab.paths.state, with: [0xA0], mode: 0o600)
        let fault = #expect(throws: LabError.self) { try test.lab.status() }
        #expect(fault?.message.contains("`liburna lab stop` or `clean` removes the lab") == true)
        if isCleaned {
          #expect(
            try Lab.clean(in: place) == [Leftover(lab: name, what: "a state that can't be read")])
        } else {
          try test.lab.stop()
        }
        #expect(test.remains == [])
      }
      #expect(!Files.exists(place))
      #expect(Machine.changes(since: before) == [])
    }

    @Test("processes whose lab has lost its directory are ended")
    func lostDirectory() throws {
      let before = Machine.now
      let name = "lost-\(getpid())"
      let place = "/tmp/liburna-lab-tests-\(getpid())-lost"
      let test = try TestLab(
        lab: Lab(name: name, directory: "\(place)/\(name)"), place: "\(place)/\(name)")
      try test.start()
      try Files.removeTree(test.place)
      let found = try Lab.clean(in: place)
      #expect(found.map(\.lab) == [name])
      #expect(test.remains == [])
      #expect(!Files.exists(place))
      #expect(Machine.changes(since: before) == [])
      #expect(try Lab.clean(in: place) == [])
    }
  }
}
