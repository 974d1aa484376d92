"""Five hundred orders of three companies: no duplicate, and nothing lost."""

import re
from decimal import Decimal

from processes import peak_megabytes, wait_until
from stage import STACK
from story import Story, finished_run, nothing_waits

TENANTS = ["bayside", "north-harbor", "prairie-tech"]
ORDERS = 500
# What the template gives a function.
MEMORY_MEGABYTES = 512
COSTS = ["399.99", "0.005", "12.3456", "1000", "7.5"]


class FiveHundredOrdersOfThreeCompanies(Story):
    @classmethod
    def begin(cls):
        cls.added = {tenant: {} for tenant in TENANTS}
        for number in range(ORDERS):
            tenant = TENANTS[number % len(TENANTS)]
            lines = [{"product": None, "memo": f"Piece {line} of {number}", "quantity": line + 1,
                      "unit_cost": COSTS[(number + line) % len(COSTS)]} for line in range(number % 3 + 1)]
            made = cls.stage.act(tenant, "create_order", order={"vendor": 301 + number % 3, "lines": lines})
            cls.added[tenant][made["id"]] = sum(cent(line["quantity"] * Decimal(line["unit_cost"])) for line in lines)
        account = cls.stage.companies["bayside"]["settings"]["created_item_account"]
        settings = {"interval_minutes": 60, "missing_item": "create", "created_item_account": account}
        cls.admins = {tenant: cls.stage.connected(tenant, **settings) for tenant in TENANTS}

    def all_three_are_transferred_at_once(self):
        for admin in self.admins.values():
            admin.ask("POST", "/set-up/start", status=202)
        for tenant, admin in self.admins.items():
            runs = wait_until(f"the run of {tenant} ends", lambda: finished_run(admin), 400, 1)
            self.assertGreaterEqual(runs["eligible"], len(self.added[tenant]))
            wait_until(f"no order of {tenant} waits", lambda: nothing_waits(self.stage, admin), 120, 2)

    def each_order_has_exactly_one_bill_of_the_right_sum_whose_number_it_bears(self):
        for tenant in TENANTS:
            orders, bills = self.stage.orders(tenant), marked(self.stage.bills(tenant))
            lost = [order for order in self.added[tenant] if order not in bills]
            self.assertEqual(lost, [], f"{tenant}: orders without a bill")
            doubled = {order: found for order, found in bills.items() if len(found) > 1}
            self.assertEqual(doubled, {}, f"{tenant}: orders with two bills")
            for order, total in self.added[tenant].items():
                bill, = bills[order]
                self.assertEqual(Decimal(str(bill["TotalAmt"])), total, f"{tenant} {order}")
                self.assertEqual(orders[order]["external_number"], bill.get("DocNumber") or bill["Id"])
            print(f"\n  {tenant}: {len(self.added[tenant])} orders added, {len(bills)} billed, 0 twice", end=" ")

    def no_bill_was_ever_made_and_taken_back(self):
        world = self.stage.simulators.world()["quickbooks"]
        for tenant in TENANTS:
            realm = world[self.stage.companies[tenant]["realm"]]
            self.assertEqual(realm["bills_ever"], len(realm["bills"]), tenant)

    def nothing_is_left_in_the_queues(self):
        self.eventually("the queue is empty", lambda: self.stage.queue("WorkQueue") == (0, 0))
        self.assertEqual(self.stage.queue("DeadLetterQueue"), (0, 0))

    def functions_at_work_stay_far_below_their_memory(self):
        peaks = {}
        for process, name in self.stage.emulator.functions():
            function = name.removeprefix(f"{STACK}-")
            peaks[function] = max(peaks.get(function, 0), peak_megabytes(process))
        print("\n  peak MB: " + ", ".join(f"{name} {peak:.1f}" for name, peak in sorted(peaks.items())), end=" ")
        self.assertIn("worker", peaks)
        self.assertLess(max(peaks.values()), MEMORY_MEGABYTES / 2)

    def the_log_tells_of_every_order(self):
        for tenant, admin in self.admins.items():
            counts = admin.read("/home")["counts"]
            self.assertEqual(counts["waiting"], 0, tenant)
            self.assertEqual(counts["billed"], len(marked(self.stage.bills(tenant))), tenant)


def cent(amount):
    """Rounded half up, as a line of a bill is."""
    return amount.quantize(Decimal("0.01"), "ROUND_HALF_UP")


def marked(bills):
    """Bills by the order whose mark they bear."""
    found = {}
    for bill in bills:
        mark = re.search(r"AT-PO:(\d+) ", bill.get("PrivateNote", ""))
        if mark:
            found.setdefault(int(mark[1]), []).append(bill)
    return found
