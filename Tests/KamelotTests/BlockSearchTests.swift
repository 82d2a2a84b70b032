// Which resources a request takes of those that are free.

import ClusterModel
import Kamelot
import Testing

/// Two hosts of 16 cores: cpus 1-8, 9-16, 17-24, 25-32.
private let cluster = TestCluster(hosts: 2, cpusPerHost: 2, coresPerCPU: 8)

struct BlockSearchTests {
  @Test(
    "blocks are taken in the order of preference, and only those of the last level must be free",
    arguments: [
      ("/host=2/cpu=1", "1-32", "1-8,17-24"),
      ("/host=2/cpu=1", "1-12,17-28", "1-8,17-24"),
      ("/host=1/cpu=1", "2-32", "9-16"),
      ("/host=1", "2-32", "17-32"),
      ("/host=1/core=4", "3-5,7,20-32", "3-5,7"),
      ("/host=1/core=5", "3-5,7,20-32", "20-24"),
      ("/cpu=3", "1-16,18-32", "1-16,25-32"),
      ("/core=3", "2,4-6,30", "2,4-5"),
      ("/host=2/cpu=2/core=2", "1-32", "1-2,9-10,17-18,25-26"),
      ("/host=2/cpu=1/core=6", "5-16,20-32", "9-14,25-30"),
    ])
  func firstFit(request: String, free: String, taken: String) throws {
    #expect(try cluster.platform.picked(request, free: free) == taken)
  }

  @Test(
    "too few free blocks are refused",
    arguments: [
      ("/host=2", "1-31"), ("/host=2/cpu=2", "1-24,26-32"), ("/core=4", "1-3"),
      ("/host=2/core=2", "1,17-32"), ("/host=1/cpu=2/core=5", "1-4,9-16,17-20,25-32"),
      ("/host=ALL", "1-31"), ("/host=BEST", "2-16,18-32"),
      ("/host=BESTHALF", "17-32"), ("/core=BESTHALF", "7"), ("/core=BEST", ""),
    ])
  func tooFew(request: String, free: String) throws {
    #expect(try cluster.platform.picked(request, free: free) == nil)
  }

  @Test(
    "ALL, BEST and BESTHALF count per level",
    arguments: [
      ("/host=ALL", "1-32", "1-32"),
      ("/cpu=BEST", "1-16,18-32", "1-16,25-32"),
      ("/cpu=BESTHALF", "1-16,18-32", "1-8"),
      ("/cpu=BESTHALF", "1-32", "1-16"),
      ("/core=BESTHALF", "1-5", "1-2"),
      ("/host=ALL/core=1", "4-8,20", "4,20"),
      ("/host=1/cpu=ALL", "2-32", "17-32"),
      ("/host=2/cpu=BEST", "1-12,17-32", "1-8,17-32"),
      ("/host=BEST/core=3", "1-2,20-25", "20-22"),
      ("/host=1/cpu=2/core=BEST", "1-3,9,20-32", "1-3,9"),
      ("/host=BESTHALF/cpu=1", "1-32", "1-8"),
    ])
  func specialCounts(request: String, free: String, taken: String) throws {
    #expect(try cluster.platform.picked(request, free: free) == taken)
  }

  @Test("groups joined by + take different resources even when both could take the same")
  func groupsAreDisjoint() throws {
    let platform = cluster.platform
    #expect(try platform.picked("/host=1+/host=1", free: "1-32") == "1-32")
    #expect(try platform.picked("/core=2+/cpu=1", free: "1-32") == "1-2,9-16")
    #expect(try platform.picked("/host=1+/host=1", free: "1-31") == nil)
    #expect(
      try platform.picked("{host='h2'}/core=2+{cpu<=2}/cpu=1+/core=1", free: "1-32")
        == "1-9,17-18")
  }

  @Test("a host that the condition covers in part can't be taken whole, its cores can")
  func conditionWithinABlock() throws {
    let platform = cluster.platform
    #expect(try platform.picked("/host=1", free: "1-32", properties: "core > 4") == "17-32")
    #expect(try platform.picked("/host=1/core=2", free: "1-32", properties: "core > 4") == "5-6")
    #expect(try platform.picked("/host=ALL", free: "1-32", properties: "core > 4") == "17-32")
  }

  @Test("levels whose values repeat from host to host mean the blocks within each host")
  func valuesThatRepeat() throws {
    var resources = TestCluster(hosts: 2, cpusPerHost: 2, coresPerCPU: 2).resources
    for index in resources.indices {
      resources[index].properties["cpu"] = .integer(index / 2 % 2)
    }
    let platform = Platform(resources: resources)
    #expect(try platform.picked("/host=2/cpu=1", free: "2-8") == "3-6")
    #expect(try platform.picked("/host=1/cpu=2", free: "2-8") == "5-8")
    // A single level knows nothing of hosts: cpu 0 has a part on each.
    #expect(try platform.picked("/cpu=1", free: "2-8") == "3-4,7-8")
  }

  @Test("blocks that are scattered over the order of preference are found")
  func scatteredBlocks() throws {
    let order = TestCluster(hosts: 3, cpusPerHost: 1, coresPerCPU: 70).resources.sorted {
      ($0.id % 7, $0.id) < ($1.id % 7, $1.id)
    }
    let platform = Platform(resources: order)
    #expect(try platform.picked("/host=1", free: "2-210") == "71-140")
    #expect(try platform.picked("/host=2/core=1", free: "5-9,80,200") == "7,80")
  }

  @Test("other types of resources serve only requests that name the type")
  func typesOfResources() throws {
    var resources = TestCluster(hosts: 1, cpusPerHost: 1, coresPerCPU: 2).resources
    var licence = Resource(id: 3)
    licence.type = "licence"
    resources.insert(licence, at: 0)
    let platform = Platform(resources: resources)
    #expect(try platform.picked("/resource_id=2", free: "1-3") == "1-2")
    #expect(try platform.picked("/resource_id=3", free: "1-3") == nil)
    #expect(try platform.picked("{type='licence'}/resource_id=1", free: "1-3") == "3")
    #expect(
      try platform.picked("{type='licence'}/resource_id=1+{core=2}/core=1", free: "1-3") == "2-3")
  }
}
