"""An .xlsx written and read by nothing but zipfile and ElementTree: another hand than the hub's own."""
import datetime
import re
import xml.etree.ElementTree as xml
import zipfile
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BEFORE_FIRST_DAY = datetime.date(1899, 12, 30)


class Writer:
    """Texts shared, numbers and days as numbers; a cell that is None is left out."""

    def __init__(self, path, name="Parent carers"):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self.name, self.texts, self.rows = name, {}, []

    def row(self, *cells):
        number, xmls = len(self.rows) + 1, []
        for i, cell in enumerate(cells):
            at = f'r="{chr(65 + i)}{number}"'
            if isinstance(cell, datetime.date):
                xmls.append(f'<c {at} s="1"><v>{(cell - BEFORE_FIRST_DAY).days}</v></c>')
            elif isinstance(cell, (int, float)):
                xmls.append(f"<c {at}><v>{cell}</v></c>")
            elif cell is not None:
                index = self.texts.setdefault(cell, len(self.texts))
                xmls.append(f'<c {at} t="s"><v>{index}</v></c>')
        self.rows.append(f'<row r="{number}">{"".join(xmls)}</row>' if xmls else "")

    def close(self):
        def put(path, text):
            self.zip.writestr(path, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + text)
        kinds = "".join(f'<Relationship Id="rId{i}" Type="{RELATION}/{kind}" Target="{target}"/>' for i, (kind, target) in
                        enumerate([("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"),
                                   ("sharedStrings", "sharedStrings.xml")], 1))
        put("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets>'
            f'<sheet name="{self.name}" sheetId="1" r:id="rId1"/></sheets></workbook>')
        put("xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{kinds}</Relationships>')
        put("xl/styles.xml", f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>')
        put("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">' + "".join(
            f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in self.texts) + "</sst>")
        put("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(self.rows)}</sheetData></worksheet>')
        self.zip.close()


def read(path):
    """The rows of the first sheet as texts, days as 03/12/2021; what every other writer may do is not read here."""
    with zipfile.ZipFile(path) as file:
        def part(name):
            return xml.fromstring(file.read(name)) if name in file.namelist() else []
        tag = f"{{{MAIN}}}"
        shared = ["".join(t.text or "" for t in si.iter(tag + "t")) for si in part("xl/sharedStrings.xml")]
        rows = []
        for row in part("xl/worksheets/sheet1.xml").iter(tag + "row"):
            cells = []
            for cell in row.iter(tag + "c"):
                column = 0
                for letter in re.match("[A-Z]+", cell.get("r"))[0]:
                    column = column * 26 + ord(letter) - 64
                text = "".join(t.text or "" for t in cell.iter() if t.tag in (tag + "t", tag + "v"))
                if cell.get("t") == "s":
                    text = shared[int(text)]
                elif cell.get("t") is None and cell.get("s", "0") != "0":
                    text = (BEFORE_FIRST_DAY + datetime.timedelta(days=int(float(text)))).strftime("%d/%m/%Y")
                cells += [""] * (column - len(cells) - 1) + [text]
            rows.append(cells)
        return rows
