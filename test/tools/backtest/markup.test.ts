import { expect } from 'chai';
import { html, Markup, NOTHING } from '../../../src/tools/backtest/markup.js';

describe('HTML of the report', () => {
  it('turns what is put in into text, in content and in attributes', () => {
    const hostile = `"><script>alert('x')</script>&`;
    expect(html`<a title="${hostile}">${hostile}</a>`.text).to.equal(
      '<a title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;</a>',
    );
  });

  it('shows characters that hide or turn text', () => {
    expect(html`${'a\u202eb\u0000c\u200bd'}`.text).to.equal('a\ufffdb\ufffdc\ufffdd');
  });

  it('leaves markup, numbers and lists of both as they are', () => {
    expect(html`<p>${[html`<b>${1}</b>`, NOTHING, new Markup('<i>')]}${2}</p>`.text).to.equal(
      '<p><b>1</b><i>2</p>',
    );
  });
});
