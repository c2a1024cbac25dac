"""Two hundred small texts of the years 2017 to 2023: watch logs, tickets, minutes, stores lists, Chinese duty notes.

Knows only everyday words. They share words with the queries and answer none of them: no figures of 2025 and 2026, no decisions,
no instructions.
"""

from __future__ import annotations

from random import Random

from samples.make.places import place

SHIPS = (
    "Baltic Fir",
    "Saltvik",
    "Nora Lyng",
    "Havtor",
    "Grete Holm",
    "Ternsund",
    "Ulvik",
    "Morild",
    "Stella Polaris",
    "Bjarne K",
)
PEOPLE = ("I. Halvard", "T. Brine", "P. Sorge", "O. Peters", "E. Dahl", "R. Calloway", "K. Aune", "J. Wik")
WEATHER = (
    "SW 5, rain at times",
    "calm, fog until ten",
    "NW 7, sleet",
    "E 3, clear",
    "S 6, drizzle",
    "variable 2, frost on the quay",
    "W 8, swell in the basin",
)

WATCH = (
    "{ship} alongside at berth {berth}, lines fast {time}. Cargo timber.",
    "{ship} asks for a pilot at {time}; told to wait for the tide.",
    "Ferry left {late} minutes late, a lorry had to be turned round on the deck.",
    "Rounds of the quay: lamp out between berths {berth} and {next}, written in the book.",
    "Crane B4 greased by the day crew. Crane B2 not used.",
    "Tide gauge compared with the staff by eye, difference {late} mm.",
    "Two yachts to pontoon {pontoon}, one night each, paid in cash.",
    "{ship} reports a seal asleep on the rudder of the workboat. Left in peace.",
    "Radio check with the pilot boat, loud and clear.",
    "Lighthouse lamp seen from the office, both flashes regular.",
    "Water delivered to {ship}, {late} cubic metres, meter read by {person}.",
    "Visitor asked for the toilet, the ferry and the meaning of life. Two of three answered.",
    "Fender at berth {berth} looked at with a torch, nothing to see.",
    "Engine of the workboat started and stopped for the weekly turn.",
    "Mudlark back from the dump ground at {time}, crew asleep by half past.",
    "Children fishing from the mole, sent home at dusk.",
    "Passengers waited for the ferry in the rain, most of them under the roof of the fish hall.",
    "A car stood in front of the slip, its owner was found in the café. One bollard painted red again.",
    "Regatta buoys taken on land and stacked behind the ice house.",
    "Sunset gun fired by the sailing club, all dogs barked.",
    "Fire pump run for five minutes by the day crew, room swept.",
    "Fog signal of the ferry heard from the breakwater.",
    "Load of road salt lowered too fast, dust on the windows of the houses.",
    "Letter for {ship} left with the agent.",
    "Temperature of the ice house within limits all month.",
    "Blue boat without a name at pontoon {pontoon}, water in the bilge, owner rung.",
)
TICKETS = (
    ("Printer in the ticket office prints stripes", "Cleaned the head twice. New cartridge ordered. The stripes are now blue."),
    (
        "Laptop of the pilot boat slow",
        "Disk was at 71 per cent, memory full of browser tabs. Closed forty of them together with the user.",
    ),
    (
        "Screen at the ferry quay shows yesterday",
        "Clock of the player was wrong after the power cut. Set by hand, time server entered.",
    ),
    ("VPN drops during video calls", "Only from one hotel. Their wireless closes idle channels. User moved to another hotel."),
    ("Cannot open the berth list", "File was locked by a session of the night shift. Session closed, list opens."),
    ("Camera 3 looks at the sky", "A gull. Turned back with a broom. Asked for spikes."),
    (
        "Error message in the invoice program",
        "Text of the message was not written down. Could not be made to happen again. Closed.",
    ),
    ("Radio recorder beeps", "Backup battery old. Replaced under the desk, beeping ended."),
    ("Keyboard in crane cabin sticky", "Coffee. Replaced by a washable one."),
    ("Tide display frozen", "Restarted. Gauge itself was fine. Third time this year, watch it."),
    (
        "Password of the radar screen expired",
        "Set to the usual length by the duty engineer on site. Note removed from the frame of the screen.",
    ),
    ("Weather page has wrong wind", "Units were knots, not metres a second. Label changed."),
    ("Calendar of the chart room shows double meetings", "Two people entered the same meeting. One of them deleted."),
    ("Phone of the dock crew fell into the water", "Dried in rice, dead. New one handed out, case included."),
    ("Map on the web site in the wrong place", "Pin stood on the school roof. Moved by ninety metres."),
    ("Scanner makes pages crooked", "Roller worn on one side. Cleaned, still one degree off. Good enough."),
    ("Alarm bell test failed in the ice house", "Fuse. Replaced, tested with the cook, the cook complained about the noise."),
    ("Sensor in the cold store reads low", "Cable chewed. Spliced, reads as the glass thermometer again."),
    ("Python job on the file server stopped", "It ran out of files to read on a holiday. Started by itself the next day."),
    ("Link in the newsletter broken", "It pointed to the poster of an earlier regatta. Removed."),
    ("Telephone rings at night", "Calls of the ticket office were still forwarded. Switched off, and the house sleeps again."),
    ("Merge the two address lists", "Forty names stood there twice, one conflict about a married name. Solved with the person."),
    ("Toner waste almost full, says the copier", "Emptied. The message stays for a day. Ignore it."),
    ("Dashboard lamp of the van is on", "Oil. Filled up, lamp off."),
    ("Chat group of the dock crew is full of pictures of boats", "Not our business. Closed."),
    ("Terminal in the crane cabin dark", "Somebody needed the plug for a kettle. Power back, terminal back."),
    ("Appointment reminders come twice", "Two calendars on one phone. One taken off."),
    ("Notification sound too loud in the radio room", "Turned down. Turned up again at the wish of the night shift."),
)
MATTERS = (
    (
        "Ferry",
        "The mate reports a calm month. "
        "The coffee machine on the car deck is to be moved away from the lorries. "
        "Timetable posters are faded.",
    ),
    (
        "Cranes",
        "The foreman reports on lifting hours. "
        "Two drivers want the softer seat. "
        "The paint on the portal flakes on the weather side.",
    ),
    (
        "Dredging",
        "The skipper of Mudlark asks for fewer visitors on working days. The bucket teeth last about as long as the year before.",
    ),
    (
        "Yacht harbour",
        "Guests praise the showers and complain about the coins. Pontoon planks grow slippery; somebody will bring sand.",
    ),
    (
        "Lighthouse",
        "The clockwork of the old lens was oiled by two volunteers. The stairs were swept. The rope rail is loose at the top.",
    ),
    (
        "Budget",
        "Finance reminds everybody to hand in receipts in the month in which they arise, and not in a shoe box in January.",
    ),
    ("Safety", "Ladders, helmets, the usual. The banksman's whistle cannot be heard over the grab; a louder one will be tried."),
    ("Pilots", "The pilots ask for a second thermos. Roster for the holidays is nearly full, one night is open."),
    (
        "Computers",
        "The new machine hums. Spare screens stand in the corridor and must go. Backups are green on the board every morning.",
    ),
    ("Visitors", "A school class from Torrisdal comes in May. The model of the port needs dusting with a soft brush."),
    (
        "Birds and seals",
        "The count of eiders was done from the roof. A seal pup on the slip was watched for two days and left by itself.",
    ),
    ("Energy", "The electrician measures what the lamps use. Old bulbs go into the box, not into the bin."),
    ("Stores", "Nobody writes down what they take. The foreman reads aloud the list of missing gloves."),
    ("Any other business", "The dog of the cook is to be kept out of the chart room. The dog disagrees."),
    ("Insurance", "The letter from the insurance was passed round. Broken windows go on the blue form, broken cups on none."),
    ("Inspection", "The yearly look at the fire hoses is moved again. A date will be sent round when there is one."),
    ("Apprentices", "Two apprentices painted the fence of the yacht harbour, and their shoes. The shoes are a donation."),
    ("Opening hours", "The ticket office would like shorter opening hours in winter, the café longer ones. Nothing is changed."),
    ("Alarm", "The alarm was raised twice by toast. The toaster was given a place in the open air."),
    ("Passengers", "Passengers ask for a roof at the stop. Tent, shed or nothing were named as options; it was left there."),
)
THINGS = (
    "shackle 12 mm",
    "polyester rope 20 mm",
    "rubber impeller, small",
    "oil filter",
    "grease EP 2, tin",
    "life ring",
    "lamp glass, red",
    "fender chain",
    "valve DN 50",
    "work gloves",
    "hard hat, white",
    "padlock, brass",
    "anode, zinc",
    "bulb, quay lamp",
    "charts, set",
)
CHINESE = (
    "{ship} 于 {time} 靠泊 {berth} 号泊位，卸木材。",
    "能见度一般，渡轮正点。",
    "巡视码头，路灯一盏不亮，已登记。",
    "吊机四号例行加油，无异常。",
    "领航船无线电测试正常。",
    "潮位尺目测与仪器相差 {late} 毫米。",
    "访客问路两次，均已指明。",
    "大雾，能见度差，渡轮鸣笛慢行。",
    "会议室借给工会开会，散会后已锁门。",
    "消防水带晾干收好，点名到齐。",
    "缆绳看过一遍，无需更换。",
    "旧吊机旁边的围栏补了漆。",
    "夜间无事，风力三级。",
    "工作艇发动机例行试车。",
    "仓库门锁换新，钥匙交白班。",
)


def write_distractors() -> None:
    """archive/: 70 watch logs, 60 tickets, 40 minutes, 20 stores lists, 10 Chinese duty notes."""
    random = Random(2026)
    for number in range(70):
        day = f"{2017 + number % 7}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
        lines = [f"{line}" for line in _filled(random, WATCH, random.randint(4, 7))]
        head = f"WATCH LOG {day}   officer: {random.choice(PEOPLE)}\nWind and weather: {random.choice(WEATHER)}\n\n"
        place("archive", "log", f"{day}-{number:02d}.txt").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    for number in range(60):
        subject, body = TICKETS[number % len(TICKETS)]
        year, asked, done = 2018 + number // 10, random.choice(PEOPLE), random.choice(PEOPLE)
        waiting = random.choice(("same day", "two days", "a week", "nobody remembers"))
        text = f"Ticket T-{1000 + 7 * number}\nOpened {year}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d} by {asked}\n"
        text += f"Subject: {subject}\n\n{body}\n\nClosed by {done}, after: {waiting}.\n"
        place("archive", "tickets", f"T-{1000 + 7 * number}.txt").write_text(text, encoding="utf-8")
    for number in range(40):
        matters = random.sample(MATTERS, 4)
        day = f"{2017 + number % 7}-{number % 12 + 1:02d}"
        text = f"# Minutes of the crew meeting, {day}\n\nPresent: {', '.join(random.sample(PEOPLE, 4))}\n"
        text += "".join(f"\n## {row}. {name}\n\n{words}\n" for row, (name, words) in enumerate(matters, 1))
        place("archive", "minutes", f"{day}-crew-{number:02d}.md").write_text(text, encoding="utf-8")
    for number in range(20):
        rows = [
            f"{thing:<28}{random.randint(0, 60):>4}   shelf {random.choice('ABCDE')}{random.randint(1, 9)}"
            for thing in random.sample(THINGS, 8)
        ]
        head = f"Stores count, quarter {number % 4 + 1} of {2018 + number // 4}, counted by {random.choice(PEOPLE)}\n\n"
        place("archive", "stores", f"count-{2018 + number // 4}-q{number % 4 + 1}.txt").write_text(
            head + "\n".join(rows) + "\n", encoding="utf-8"
        )
    for number in range(10):
        head = f"值班记录 {2019 + number % 5} 年 {random.randint(1, 12)} 月 {random.randint(1, 28)} 日\n\n"
        body = "\n".join(_filled(random, CHINESE, 5))
        place("archive", "值班记录", f"{number + 1:02d}.txt").write_text(f"{head}{body}\n", encoding="utf-8")


def _filled(random: Random, templates: tuple[str, ...], count: int) -> list[str]:
    berth = random.randint(1, 8)
    return [
        template.format(
            ship=random.choice(SHIPS),
            berth=berth,
            next=berth + 1,
            time=f"{random.randint(0, 23):02d}:{random.randint(0, 59):02d}",
            late=random.randint(2, 40),
            pontoon=random.choice("ABD"),
            person=random.choice(PEOPLE),
        )
        for template in random.sample(templates, count)
    ]
